"""What comes of a hedge: whoever is first wins, the other one stops, and nothing is lost."""

from dataclasses import replace

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import CancelTask
from orchestrator.core.model import Op, Predicate, RunLimits
from orchestrator.journal.codec import decode, encode
from protocol.types import (
    Cancelled,
    DeviceId,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    Rejected,
    Succeeded,
)
from tests.support.hedging import LATE_S, LIMITS, attempts, late, live
from tests.support.world import RUN, World, task


def hedged(**rest):
    """Return the world once `t` is hedged on `e`, and both attempts."""
    world = late(**rest)
    world.wait(LATE_S)
    return world, *attempts(world)


def test_a_hedge_that_is_first_wins_and_the_other_is_told_to_stop():
    world, first, second = hedged()
    world.wait(5.0)
    world.end(second, Succeeded("new"), run_s=4.0)
    assert world.row("t").output == "new"
    assert world.row("t").where == "e"
    assert world.ordered(c.CancelAttempt, attempt=first)
    (outrun,) = world.happened(f.AttemptOutrun)
    assert (outrun.attempt, outrun.hedge, outrun.ran_s) == (first, False, 25.0)
    assert list(world.engine.state.attempts) == [first]  # charged until it says that it stopped
    world.end(first, Cancelled())
    assert world.engine.state.attempts == {}
    assert world.happened(f.AttemptCancelled, attempt=first)
    assert world.run().status == "succeeded"


def test_an_attempt_that_is_first_after_all_stops_its_hedge():
    world, first, second = hedged()
    world.end(first, Succeeded("old"), run_s=20.0)
    assert world.row("t").output == "old"
    assert world.ordered(c.CancelAttempt, attempt=second)
    (outrun,) = world.happened(f.AttemptOutrun)
    assert (outrun.attempt, outrun.hedge, outrun.ran_s) == (second, True, None)
    world.end(second, Succeeded("new"), run_s=4.0)  # it was done before it heard of that
    assert world.row("t").output == "old"


@pytest.mark.parametrize("rows", [True, False])
def test_what_was_outrun_does_not_answer_for_the_planner_that_looks_at_the_first_result(rows):
    world = World()
    world.device("d")
    three = Predicate((), Op.EQ, 3)
    world.submit(task("t", estimate_s=10.0, limits=LIMITS, expect=three), limits=RunLimits())
    world.start("t")
    world.device("e")
    world.wait(LATE_S)
    first, second = attempts(world)
    world.end(second, Succeeded(4), run_s=4.0)
    assert world.state("t") == "recovering"
    world.restart(rows=rows)
    before = len(world.ordered(c.CancelAttempt, attempt=first))
    world.tell(e.Beat(DeviceId("d"), Incarnation("1"), Load(), (first,), connected=False))
    assert len(world.ordered(c.CancelAttempt, attempt=first)) == before + 1
    world.end(first, Succeeded(5))  # it was done before it heard of that
    assert (world.state("t"), world.row("t").output) == ("recovering", 4)
    assert world.ordered(c.Acknowledge, attempt=first)
    assert world.engine.state.attempts == {}
    world.tell(e.PlanFailed(RUN, world.ordered(c.AskPlanner)[-1].ask, "no idea"))
    assert (world.state("t"), world.row("t").output) == ("succeeded", 4)


@pytest.mark.parametrize(
    "outcome", [Failed(FailureKind.SKILL_ERROR, "broken"), Cancelled("not my day")]
)
def test_if_the_attempt_fails_its_hedge_takes_its_place_and_nothing_is_charged(outcome):
    world, first, second = hedged()
    world.end(first, outcome)
    assert live(world) == [second]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    assert not world.happened(f.TaskRecovering)
    assert world.engine.state.timers.get(world.row("t").key) is not None
    world.end(second, Failed(FailureKind.TRANSIENT, "no"))
    assert world.row("t").charged == 1


@pytest.mark.parametrize("outcome", [Failed(FailureKind.BAD_INPUT, "no"), Rejected("busy")])
def test_if_the_hedge_fails_it_is_gone(outcome):
    world, first, second = hedged()
    world.end(second, outcome)
    assert live(world) == [first]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    world.end(first, Succeeded(1))
    assert world.run().status == "succeeded"


def test_a_task_that_asks_a_person_is_not_hedged():
    world = late()
    world.ask("t")
    world.tell(e.AnswerInput(RUN, "t", "this", "me"))
    world.wait(150.0)
    assert len(attempts(world)) == 1


def test_an_attempt_that_asks_stops_its_hedge():
    world, first, second = hedged()
    world.tell(e.AttemptAsked(DeviceId("d"), first, "which?"))
    assert world.state("t") == "input_required"
    assert live(world) == [first]
    assert world.ordered(c.CancelAttempt, attempt=second)


def test_a_hedge_that_asks_is_stopped():
    world, first, second = hedged()
    event = e.AttemptAsked(DeviceId("e"), second, "which?")
    world.tell(event)
    world.retell(event)
    assert (world.state("t"), live(world)) == ("active", [first])
    assert world.ordered(c.CancelAttempt, attempt=second)


@pytest.mark.parametrize("how", ["run", "task"])
def test_a_cancelled_task_stops_both(how):
    world, first, second = hedged()
    if how == "run":
        world.tell(e.CancelRun(RUN, "enough"))
    else:
        world.edit(CancelTask("t"))
    assert {order.attempt for order in world.ordered(c.CancelAttempt)} == {first, second}
    world.end(first, Cancelled())
    assert world.state("t") == "cancelled"
    world.end(second, Cancelled())
    assert world.engine.state.attempts == {}


@pytest.mark.parametrize(("lost", "stays"), [("d", 1), ("e", 0)])
def test_a_lost_device_leaves_the_attempt_on_the_other(lost, stays):
    world, *both = hedged()
    world.start("t")  # the hedge
    world.silence(lost)
    world.wait(7.0 + 20.0)  # its leases are over
    assert live(world) == [both[stays]]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    world.end(both[stays], Succeeded("done"), run_s=1.0)
    world.beat(lost)
    assert world.row("t").output == "done"


def test_a_hedge_that_was_not_taken_goes_with_its_device_at_once():
    world, first, _ = hedged()
    world.silence("e")
    world.wait(7.0)
    assert live(world) == [first]


def test_a_device_without_its_ledger_leaves_the_attempt_on_the_other():
    world, _, second = hedged()
    world.wiped("d")
    assert live(world) == [second]


def test_an_unregistered_device_leaves_the_attempt_on_the_other():
    world, _, second = hedged()
    del world.alive[DeviceId("d")]
    world.tell(e.Unregistered(DeviceId("d")))
    assert live(world) == [second]


def test_a_lapsed_attempt_that_succeeds_stops_the_one_that_replaced_it_and_its_hedge():
    world = late(estimate_s=12.0)
    world.device("x")
    first = world.offer("t").attempt
    world.silence("d")
    world.wait(20.0)  # its lease is over
    world.start("t")
    world.wait(24.0)
    both = live(world)
    assert [first, *both] == attempts(world)
    world.end(first, Succeeded("at last"))
    assert world.row("t").output == "at last"
    assert [order.attempt for order in world.ordered(c.CancelAttempt)][-2:] == [both[1], both[0]]


def test_another_coordinator_takes_both():
    world, first, _ = hedged()
    world.tell(e.Superseded(DeviceId("d"), first, world.run().epoch + 1))
    assert world.engine.state.attempts == {}
    assert live(world) == []


# Time


def test_a_hedge_that_is_not_answered_is_offered_again_and_then_taken_back():
    world, first, second = hedged()
    world.wait(5.9)
    assert len(world.ordered(c.Offer, attempt=second)) == 3
    world.wait(0.1)  # the limit, and no sooner than the next repeat
    assert world.ordered(c.RefuseAttempts)
    assert (world.state("t"), live(world)) == ("active", [first])


def test_a_hedge_that_does_not_end_in_time_is_stopped_alone():
    world, first, second = hedged(limits=replace(LIMITS, run_s=30.0))
    world.accept("t")
    world.start("t")
    world.wait(10.0)  # the other one's time is over
    assert live(world) == [second]
    world.wait(20.0)
    assert {order.attempt for order in world.ordered(c.CancelAttempt)} == {first, second}
    assert world.row("t").charged == 1


@pytest.mark.parametrize("rows", [True, False])
def test_a_restart_keeps_hedges_and_their_limits_and_knows_who_is_late(rows):
    world, first, second = hedged()
    world.restart(rows=rows)
    assert live(world) == [first, second]
    world.wait(10.0)
    assert live(world) == [first]  # nobody answered for `start_s`

    world = late()
    world.wait(5.0)
    world.restart(rows=rows)
    world.wait(LATE_S - 5.0)
    assert len(live(world)) == 2


def test_hedges_are_in_the_journal_and_what_was_written_before_them_is_read():
    world, first, _ = hedged()
    placed = world.happened(f.TaskPlaced)
    rows = [encode(fact) for fact in placed]
    assert [decode(row) for row in rows] == placed
    kind, run, name, body = rows[0]
    old = body.replace(',"hedge":null', "")
    assert old != body
    assert decode((kind, run, name, old)).attempt == first
