"""A `once` outcome that was lost: who is asked, who settles it, and when it ends."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import ReplaceTask
from orchestrator.core.model import Limits, RunLimits
from protocol.types import (
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    Unknown,
)
from tests.support.world import RUN, World, card, plan, task

D = DeviceId("d")
NEVER = Failed(FailureKind.SKILL_ERROR, "it never happened")


def in_doubt(*, limits=None, **rest):
    """A `once` task whose device could not say what happened."""
    world = World()
    world.device("d", effect=Effect.ONCE)
    world.submit(task("t", limits=Limits(unknown_s=100.0)), limits=limits, **rest)
    world.start("t")
    world.finish("t", Unknown("power was lost"))
    assert world.state("t") == "unknown"
    return world


def asked(world):
    return len(world.ordered(c.QueryAttempt, device=D, attempt=world.offer("t").attempt))


def test_each_word_of_the_device_is_acknowledged():
    world = in_doubt()
    attempt = world.offer("t").attempt
    world.end(attempt, Unknown("still not known"))
    assert world.state("t") == "unknown"
    world.end(attempt, Succeeded("it had happened"))
    assert world.ordered(c.Acknowledge) == [c.Acknowledge(D, attempt, RUN, 1)] * 3


def test_the_device_is_asked_at_back_off_and_its_word_settles_the_task():
    world = in_doubt()
    assert asked(world) == 0, "it has just said that it does not know"
    world.wait(5.0)
    assert asked(world) == 1
    world.wait(55.0)
    assert asked(world) == 4, "after 5, 10, 20 and 40 s"
    world.end(world.offer("t").attempt, Succeeded("it had happened"))
    assert world.row("t").output == "it had happened"
    (settled,) = world.happened(f.TaskSettled)
    assert settled.by == "d"
    assert world.run().status == "succeeded"
    assert world.engine.state.doubts == {}


@pytest.mark.parametrize("outcome", [NEVER, Rejected("it never began"), Cancelled("it stopped")])
def test_a_device_that_says_it_did_not_happen_has_the_task_fail_with_its_words(outcome):
    world = in_doubt()
    world.end(world.offer("t").attempt, outcome)
    assert world.run().status == "failed"
    assert world.run().reason.startswith("t: d: it ")
    assert len(world.offers) == 1, "I13"


def test_the_planner_is_asked_to_mend_what_did_not_happen():
    world = in_doubt(limits=RunLimits(revisions=1))
    world.end(world.offer("t").attempt, NEVER)
    (ask,) = world.ordered(c.AskPlanner)
    assert ask.cause == "d: it never happened"
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(task("t")), base=1)))
    world.do("t")
    assert world.run().status == "succeeded"


def test_the_planner_is_told_what_is_known_when_nobody_could_say_in_time():
    world = in_doubt(limits=RunLimits(revisions=1))
    world.wait(100.0)
    (ask,) = world.ordered(c.AskPlanner)
    assert ask.cause == "its outcome is unknown: power was lost"


def test_i10_an_unknown_outcome_ends_at_its_limit_with_the_reason():
    world = in_doubt()
    world.wait(99.0)
    assert world.state("t") == "unknown"
    world.wait(1.0)
    assert world.run().reason == "t: its outcome is unknown: power was lost"
    before = asked(world)
    world.wait(300.0)
    assert asked(world) == before


def test_a_device_that_comes_back_is_asked_once_if_it_is_the_same_life():
    world = in_doubt()
    world.silence("d")
    world.wait(50.0)
    before = asked(world)
    assert before == 1, "it was not asked while it was away"
    world.beat("d")
    assert asked(world) == before + 1
    world.beat("d")
    assert asked(world) == before + 1


def test_another_life_of_the_device_is_never_asked():
    world = in_doubt()
    world.wiped("d")
    world.wait(90.0)
    assert asked(world) == 0
    world.tell(e.Connected())
    assert asked(world) == 0


def test_a_device_that_left_is_not_asked_and_the_task_ends_all_the_same():
    world = in_doubt()
    del world.alive[D]
    world.tell(e.Unregistered(D))
    world.wait(100.0)
    assert asked(world) == 0
    assert world.run().status == "failed"


@pytest.mark.parametrize("rows", [False, True])
def test_a_new_connection_and_a_restart_ask_again(rows):
    world = in_doubt()
    world.tell(e.Connected())
    assert asked(world) == 1
    world.restart(away_s=3.0, elapsed=0.0, rows=rows)
    world.wait(5.0)
    assert asked(world) == 2
    world.end(world.offer("t").attempt, Succeeded(None))
    assert world.run().status == "succeeded"


def test_what_lapsed_on_a_lost_device_is_asked_about_and_its_late_result_is_taken():
    world = World()
    world.device("d", effect=Effect.ONCE)
    world.submit(task("t"))
    attempt = world.start("t")
    world.silence("d")
    world.wait(25.0)
    assert world.state("t") == "unknown"
    world.beat("d")
    assert asked(world) == 1
    world.end(attempt, Unknown("power was lost"))
    assert world.state("t") == "unknown"
    world.end(attempt, Succeeded("after all"))
    assert world.row("t").output == "after all"


def test_i12_a_report_after_a_person_settled_it_is_acknowledged_and_changes_nothing():
    world = in_doubt()
    attempt = world.offer("t").attempt
    world.tell(e.SettleUnknown(RUN, "t", Succeeded("seen with my eyes"), "ada"))
    assert world.happened(f.TaskSettled)[0].by == "ada"
    world.retell(e.AttemptFinished(D, attempt, NEVER, None, RUN))
    assert world.orders[-1] == c.Acknowledge(D, attempt, RUN, 1)
    assert world.row("t").output == "seen with my eyes"


def test_i12_another_device_cannot_settle_it():
    world = in_doubt()
    world.device("other")
    world.retell(
        e.AttemptFinished(DeviceId("other"), world.offer("t").attempt, Succeeded("forged"), None)
    )
    assert world.state("t") == "unknown"


def test_a_cancelled_run_asks_no_more():
    world = in_doubt()
    world.tell(e.CancelRun(RUN, "enough"))
    assert world.run().status == "cancelled"
    world.wait(60.0)
    assert asked(world) == 0


def test_a_plain_agent_is_asked_what_became_of_its_attempt():
    world = World()
    world.tell(e.Announced(card("d", extension=False, effect=Effect.ONCE), online=True))
    world.submit(task("t"))
    world.wait(31.0)
    assert world.state("t") == "unknown"
    before = asked(world)
    world.wait(5.0)
    assert asked(world) == before + 1


def test_an_unknown_outcome_of_a_former_release_names_nobody_to_ask_and_ends_at_its_limit():
    world = World()
    world.device("d", effect=Effect.ONCE)
    world.submit(task("t", limits=Limits(unknown_s=100.0)))
    attempt = world.start("t")
    for engine in (world.engine, world.fold):
        engine.apply(f.AttemptUnknown(RUN, "t", attempt, "power was lost"))
        engine.apply(f.TaskUnknown(RUN, "t", 100.0, "power was lost"))
    world.wait(99.0)
    assert asked(world) == 0
    world.wait(1.0)
    assert world.run().reason == "t: its outcome is unknown: power was lost"
