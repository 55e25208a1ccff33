"""Messages that are lost, late or not for us: plain agents without hello, acknowledgements."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveTask
from orchestrator.core.model import Limits, RunLimits
from protocol.types import (
    AttemptId,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    RunId,
    Succeeded,
)
from tests.support.world import RUN, World, card, task

P = DeviceId("plain")


def plain(*, effect=Effect.IDEMPOTENT, **limits):
    """A task that was offered to an agent without our extension."""
    world = World()
    world.tell(e.Announced(card("plain", effect=effect, extension=False), online=True))
    world.submit(task("t", limits=Limits(**limits)))
    return world


def queries(world):
    return [order.attempt for order in world.ordered(c.QueryAttempt)]


@pytest.mark.parametrize(
    "event",
    [
        e.Connected(),
        e.Announced(card("plain", effect=Effect.IDEMPOTENT, extension=False), online=True),
    ],
)
def test_a_plain_agent_is_asked_for_what_it_said_while_nobody_listened(event):
    world = plain()
    world.start("t")
    if isinstance(event, e.Announced):
        world.tell(e.Announced(event.card, online=False))
    world.tell(event)
    assert queries(world) == [world.offer("t").attempt]


def test_a_coordinator_that_starts_asks_plain_agents_about_every_attempt():
    world = plain()
    world.start("t")
    assert c.QueryAttempt(P, world.offer("t").attempt) in world.restart().commands


def test_our_own_devices_are_not_asked_since_hello_tells_it():
    world = World()
    world.device("d")
    world.submit(task("t"))
    world.start("t")
    world.tell(e.Connected())
    world.restart()
    assert queries(world) == []


def test_an_agent_that_answers_only_at_the_end_is_asked_before_it_is_given_up():
    world = plain(start_s=10.0, run_s=300.0)
    world.wait(10.0)
    assert queries(world) == [world.offer("t").attempt]
    world.start("t")
    world.wait(200.0)
    assert world.state("t") == "active"
    world.finish("t", run_s=None)
    assert world.run().status == "succeeded"
    assert not world.happened(f.AttemptLapsed)


def test_an_agent_that_has_it_in_its_queue_is_not_given_up_before_its_run_limit():
    world = plain(start_s=10.0, run_s=300.0)
    world.wait(10.0)
    world.accept("t")
    world.wait(290.0)
    assert world.state("t") == "active"
    world.wait(20.0)
    assert world.happened(f.AttemptLapsed)


def test_an_agent_that_never_answers_is_given_up_after_twice_its_time():
    world = plain(start_s=10.0, attempts=1)
    world.wait(19.0)
    assert world.state("t") == "active"
    world.wait(2.0)
    assert world.run().reason == "t: plain did not answer the offer"
    assert not world.ordered(c.RefuseAttempts), "it knows no tombstones"


def missing(world):
    return e.AttemptMissing(P, world.offer("t").attempt)


def test_i12_an_offer_that_may_be_on_its_way_is_not_missing():
    world = plain(start_s=10.0)
    world.retell(missing(world))
    assert world.state("t") == "active"


@pytest.mark.parametrize("how", ["offered", "started"])
def test_an_attempt_that_its_agent_does_not_know_is_tried_again_and_its_slot_is_free(how):
    world = plain(start_s=10.0)
    if how == "started":
        world.start("t")
    world.wait(11.0)
    world.tell(missing(world))
    assert world.happened(f.AttemptLost)[0].reason == "plain does not know the attempt"
    assert len(world.offers) == 2
    assert world.state("t") == "active"


def test_a_lapsed_attempt_that_its_agent_does_not_know_frees_its_slot():
    world = plain(start_s=10.0, attempts=1)
    world.wait(21.0)
    assert world.engine.state.devices[P].attempts
    world.tell(missing(world))
    assert world.engine.state.devices[P].attempts == {}
    world.retell(missing(world))


def test_i13_a_once_attempt_that_its_agent_does_not_know_is_not_tried_again():
    world = plain(effect=Effect.ONCE)
    world.start("t")
    world.tell(missing(world))
    assert world.state("t") == "unknown"
    assert len(world.offers) == 1


@pytest.mark.parametrize("device", ["d", "forger", "plain"])
def test_i12_only_the_plain_agent_that_has_it_can_miss_it(device):
    world = World()
    world.tell(e.Announced(card("plain", "other", extension=False), online=True))
    world.device("d")
    world.submit(task("t"))
    world.start("t")
    world.retell(e.AttemptMissing(DeviceId(device), world.offer("t").attempt))
    assert world.state("t") == "active"


def test_what_was_over_before_it_could_be_cancelled_is_asked_for():
    world = plain()
    attempt = world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.retell(e.AttemptUnstoppable(P, attempt))
    world.retell(e.AttemptUnstoppable(DeviceId("forger"), attempt))
    assert queries(world) == [attempt]
    world.end(attempt, Succeeded("done before"))
    assert world.state("t") == "succeeded"
    world.retell(e.AttemptUnstoppable(P, attempt))


def test_a_card_that_gains_the_extension_brings_the_duty_to_beat():
    world = plain()
    world.start("t")
    world.tell(e.Announced(card("plain"), online=True))
    world.wait(8.0)
    assert world.happened(f.DeviceLost)


def test_a_card_that_loses_the_extension_ends_the_duty_to_beat():
    world = World()
    world.device("plain")
    world.silence("plain")
    world.tell(e.Announced(card("plain", extension=False), online=True))
    world.wait(30.0)
    assert not world.happened(f.DeviceLost)


# Acknowledgements


def finished(attempt, run):
    return e.AttemptFinished(DeviceId("d"), attempt, Succeeded(None), 1.0, run)


@pytest.mark.parametrize("run", [None, RunId("of another coordinator")])
def test_a_result_of_nobody_we_know_is_not_acknowledged(run):
    world = World()
    world.device("d")
    world.retell(finished(AttemptId("theirs"), run))
    assert not world.ordered(c.Acknowledge)


def test_a_result_of_a_task_that_was_edited_away_is_acknowledged():
    world = World()
    world.device("d")
    world.submit(task("t", limits=Limits(run_s=5.0)), task("u"), limits=RunLimits(revisions=1))
    attempt = world.start("t")
    world.finish("t", Failed(FailureKind.BAD_INPUT, "wrong"))
    world.edit(RemoveTask("t"))
    before = len(world.ordered(c.Acknowledge, attempt=attempt))
    world.tell(finished(attempt, RUN))
    assert len(world.ordered(c.Acknowledge, attempt=attempt)) == before + 1


def test_a_result_of_an_ended_run_is_acknowledged_again():
    world = World()
    world.device("d")
    world.submit(task("t"))
    attempt = world.finish("t")
    world.retell(finished(attempt, RUN))
    assert len(world.ordered(c.Acknowledge, attempt=attempt)) == 2


def test_a_result_in_another_devices_name_is_not_acknowledged():
    world = World()
    world.device("d")
    world.device("e")
    world.submit(task("t"))
    attempt = world.start("t")
    world.retell(e.AttemptFinished(DeviceId("e"), attempt, Succeeded(None), 1.0, RUN))
    assert not world.ordered(c.Acknowledge)
    assert world.beat("e", load=Load()).facts
    assert world.engine.state.devices["e"].incarnation == Incarnation("1")
