"""Two coordinators, one run: the lower epoch lets it go, the other is not disturbed (I9)."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits, RunLimits
from protocol.types import (
    AttemptId,
    DeviceId,
    Effect,
    Incarnation,
    Load,
    RunId,
    Succeeded,
    Unknown,
)
from tests.support.world import RUN, World, edge, task

D = DeviceId("d")
OTHER = RunId("other")
REASON = "another coordinator has taken over this run (epoch 2)"


class Fence:
    """A device's memory of epochs: what `agents.session` refuses, and what it answers."""

    def __init__(self):
        self.seen = {}

    def refusals(self, orders):
        """Take orders; yield what the device says to those of a coordinator that lost the run."""
        for order in orders:
            if isinstance(order, c.Offer | c.CancelAttempt | c.AnswerAttempt):
                epoch = self.seen.setdefault(order.run, order.epoch)
                if order.epoch < epoch:
                    yield e.Superseded(D, order.attempt, epoch)
                self.seen[order.run] = max(epoch, order.epoch)
            elif isinstance(order, c.SayHello | c.RenewLeases):
                for run, epoch in order.epochs.items():
                    self.seen[run] = max(epoch, self.seen.get(run, 0))


def two(*, effect=Effect.IDEMPOTENT):
    """The older coordinator with work on a device, and one that adopted its journal."""
    older = World()
    older.device("d", slots=2, effect=effect)
    older.submit(task("a"), task("b"), task("c"), edge("a", "c"), limits=RunLimits())
    older.start("a")
    newer = World()
    newer.device("d", slots=2, effect=effect)
    newer.submit(task("a"), task("b"), task("c"), edge("a", "c"), limits=RunLimits())
    newer.start("a")
    newer.restart()
    assert (older.run().epoch, newer.run().epoch) == (1, 2)
    return older, newer


def told(world, orders, fence):
    for refusal in list(fence.refusals(orders)):
        world.tell(refusal)


def test_the_older_coordinator_lets_the_run_go_and_the_newer_finishes_it():
    older, newer = two()
    fence = Fence()
    told(newer, newer.tell(e.Connected()).commands, fence)
    said = len(older.orders)
    told(older, older.tell(e.CancelRun(RUN, "enough")).commands, fence)

    assert older.run().status == "failed"
    assert older.run().reason == REASON
    assert set(older.states().values()) == {"cancelled"}
    assert older.engine.state.attempts == {}
    assert older.engine.state.devices[D].attempts == {}
    (fact,) = older.happened(f.RunSuperseded)
    assert (fact.epoch, fact.device) == (2, "d")
    assert {type(order) for order in older.orders[said:]} == {c.CancelAttempt}, "before it knew"

    newer.do("a", "b", "c")
    assert newer.run().status == "succeeded"
    assert not newer.happened(f.RunSuperseded)


def test_nothing_is_said_for_the_run_from_then_on():
    older, _ = two()
    attempt = older.offer("a").attempt
    older.tell(e.Superseded(D, attempt, 2))
    said = len(older.orders)
    older.tell(e.AttemptFinished(D, attempt, Succeeded(None), 1.0, RUN))
    older.tell(e.AttemptFinished(D, attempt, Unknown("?"), 1.0, RUN))
    older.tell(e.Beat(D, Incarnation("1"), Load(), (attempt,), connected=False))
    older.hello("d", {attempt: True})
    older.tell(e.Connected())
    older.tell(e.CancelRun(RUN, "enough"))
    older.wait(600.0)
    assert {type(order) for order in older.orders[said:]} == {c.SayHello}
    assert all(order.epochs == {} for order in older.orders[said:])
    older.restart(rows=True)
    assert older.run().superseded, "I11"


def test_other_runs_go_on_and_take_the_room():
    older, _ = two()
    older.submit(task("x"), run=OTHER)
    assert older.state("x", OTHER) == "ready"
    older.tell(e.Superseded(D, older.offer("a").attempt, 2))
    older.do("x")
    assert older.run(OTHER).status == "succeeded"


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_an_echo_of_an_epoch_of_our_own_says_nothing(epoch):
    older, _ = two()
    older.restart()
    older.retell(e.Superseded(D, older.offer("a").attempt, epoch))
    assert older.run().status == "running"


def test_only_the_device_that_holds_the_attempt_is_believed():
    older, _ = two()
    older.retell(e.Superseded(DeviceId("liar"), older.offer("a").attempt, 9))
    older.retell(e.Superseded(D, AttemptId("forged"), 9))
    assert older.run().status == "running"


def test_a_run_that_ended_here_only_frees_what_it_still_holds():
    world = World()
    world.device("d")
    world.submit(task("t", limits=Limits(run_s=5.0, attempts=1)))
    attempt = world.start("t")
    world.wait(6.0)
    assert world.run().status == "failed"
    reason = world.run().reason
    world.tell(e.Superseded(D, attempt, 2))
    assert world.engine.state.attempts == {}
    assert world.run().reason == reason, "I6"


def test_questions_to_planner_and_person_are_over_with_the_run():
    older, newer = two(effect=Effect.ONCE)
    older.finish("b", Unknown("?"))
    older.ask("a")
    older.tell(e.Superseded(D, older.offer("a").attempt, 2))
    assert set(older.states().values()) == {"cancelled"}
    assert older.engine.state.doubts == {}
    assert older.engine.next_deadline() is None or older.run().asks == {}
    newer.settle()
