"""Where an attempt failed beside its hedge, or the hedge itself, no further attempt goes."""

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits
from protocol.types import Cancelled, Failed, FailureKind, Rejected, Unknown
from tests.support.hedging import LATE_S, attempts, late, live
from tests.support.world import card

SOFT = Failed(FailureKind.TRANSIENT, "a hiccup")
HARD = Failed(FailureKind.SKILL_ERROR, "a bug")
FAILURES = [SOFT, HARD, Cancelled("its owner did"), Unknown("it does not know")]


def hedged(**rest):
    """`t` runs on `d` and on `e`, and `g` is there, too slow to take a hedge."""
    world = late(**rest)
    world.device("g", speed=0.1)
    world.wait(LATE_S)
    first, second = attempts(world)
    return world, first, second


def used(world):
    return [fact.device for fact in world.happened(f.TaskPlaced, task="t")]


@pytest.mark.parametrize("outcome", FAILURES)
@pytest.mark.parametrize("hedge", [False, True])
def test_the_next_attempt_goes_to_neither(outcome, hedge):
    world, *both = hedged()
    world.end(both[hedge], outcome)
    assert live(world) == [both[not hedge]]
    assert world.row("t").charged == 0
    assert world.row("t").excluded == {"de"[hedge]}
    world.end(both[not hedge], SOFT)
    world.wait(5.0)
    assert used(world) == ["d", "e", "g"]
    assert world.row("t").charged == 1


@pytest.mark.parametrize(("outcome", "barred"), [(SOFT, set()), (HARD, {"d"})])
def test_it_is_for_good_where_the_same_would_happen_again(outcome, barred):
    world, first, _ = hedged()
    world.end(first, outcome)
    assert world.row("t").barred == barred


def test_a_refusal_excludes_nobody():
    world, _, second = hedged()
    world.end(second, Rejected("busy"))
    assert world.row("t").excluded == frozenset()


def test_a_device_that_is_lost_at_work_is_excluded():
    world, *_ = hedged()
    world.start("t")
    world.silence("d")
    world.tell(e.Announced(card("d"), online=False))
    world.wait(30.0)
    assert world.row("t").excluded == {"d"}


def test_where_nobody_else_can_do_it_the_task_fails_as_after_any_two_failures():
    world = late()
    world.wait(LATE_S)
    first, second = attempts(world)
    world.end(first, HARD)
    world.end(second, HARD)
    assert world.state("t") == "failed"
    reason = "failed 2 times: on d: a bug; on e: a bug (no other device can do it)"
    assert world.row("t").reason == reason


def test_what_no_other_device_could_mend_excludes_nobody():
    world, first, _ = hedged()
    world.end(first, Failed(FailureKind.BAD_INPUT, "wrong"))
    assert world.row("t").excluded == frozenset()


def test_an_attempt_that_lapsed_before_excludes_once():
    world, first, second = hedged(limits=Limits(start_s=5.0, run_s=24.0))
    world.start("t")
    world.wait(4.5)
    assert live(world) == [second]
    assert world.row("t").excluded == {"d"}
    world.end(first, HARD)
    assert world.row("t").barred == frozenset()
    assert len(world.happened(f.DeviceExcluded)) == 1


@pytest.mark.parametrize("rows", [True, False])
def test_i11_a_restart_keeps_it(rows):
    world, first, _ = hedged()
    world.end(first, HARD)
    world.restart(rows=rows)
    assert world.row("t").excluded == world.row("t").barred == {"d"}
