"""Devices that a task failed on for good, and the others that could do it are away."""

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Failed, FailureKind, Load
from tests.support.world import RUN, World, card, task

HARD = Failed(FailureKind.SKILL_ERROR, "a bug")
PAUSE_S = Tuning().unmatched_s


def barred(*, attempts=3, queue_s=3600.0, there=("d2",)):
    """A task that failed for good wherever somebody is; `d1` could do it, and is away."""
    world = World()
    world.device("d1")
    world.silence("d1")
    world.tell(e.Announced(card("d1"), online=False))
    for name in there:
        world.device(name)
    world.submit(task("t", limits=Limits(attempts=attempts, queue_s=queue_s)))
    for _ in there:
        world.finish("t", HARD)
    assert world.row("t").barred == set(there)
    return world


def used(world):
    return [fact.device for fact in world.happened(f.TaskPlaced, task="t")]


def test_who_failed_for_good_is_tried_again_soon_if_all_others_stay_away():
    world = barred()
    world.wait(PAUSE_S - 0.1)
    assert used(world) == ["d2"]
    world.wait(0.2)
    assert used(world) == ["d2", "d2"]
    assert world.row("t").barred == world.row("t").excluded == frozenset()
    assert world.row("t").rejections == 0, "nobody refused it"
    world.do("t")
    assert world.run().status == "succeeded"


def test_i10_the_limit_on_attempts_ends_that():
    world = barred(attempts=3)
    for _ in range(2):
        world.wait(PAUSE_S)
        world.finish("t", HARD)
    assert used(world) == ["d2"] * 3
    assert world.state("t") == "failed"
    assert world.at < 3 * PAUSE_S


def test_one_that_comes_back_in_time_takes_it():
    world = barred()
    world.wait(PAUSE_S - 1.0)
    world.beat("d1", connected=True)
    world.hello("d1")
    world.wait(PAUSE_S)
    assert used(world) == ["d2", "d1"]
    assert world.row("t").barred == {"d2"}


def test_each_that_failed_has_its_turn():
    world = barred(attempts=9, there=("d2", "d3"))
    world.wait(PAUSE_S)
    world.finish("t", HARD)
    assert sorted(used(world)[:2]) == sorted(used(world)[2:]) == ["d2", "d3"]
    world.finish("t", HARD)
    assert world.state("t") == "ready", "there is nobody but these"


def test_while_nobody_is_there_it_waits():
    world = barred()
    world.silence("d2")
    world.tell(e.Announced(card("d2"), online=False))
    world.wait(10 * PAUSE_S)
    assert world.row("t").barred == {"d2"}, "`d1` may be the first to come back"
    world.beat("d2", connected=True)
    world.wait(PAUSE_S + 0.1)
    assert used(world) == ["d2", "d2"]


def test_one_that_drains_is_away():
    world = World()
    world.device("d1")
    world.device("d2")
    world.submit(task("busy"), task("t"))
    world.start("busy")
    assert used(world) == ["d2"]
    world.finish("t", HARD)
    world.beat("d1", load=Load(draining=True))
    del world.alive[DeviceId("d1")]
    world.wait(PAUSE_S)
    assert used(world) == ["d2", "d2"]


def test_its_queue_limit_holds_where_it_is_shorter():
    world = barred(queue_s=2.0)
    world.wait(2.1)
    assert used(world) == ["d2"]
    assert "no device became free for 'work' in time" in world.row("t").reason


@pytest.mark.parametrize("rows", [True, False])
def test_i11_a_restart_does_not_make_it_wait_its_queue_limit(rows):
    world = barred()
    world.restart(rows=rows)
    world.wait(PAUSE_S + 0.1)
    assert used(world) == ["d2", "d2"]
    world.restart(rows=rows)
    assert world.row("t").barred == frozenset()
    world.do("t")


def test_in_a_paused_run_it_waits_until_that_is_resumed():
    world = barred()
    world.tell(e.PauseRun(RUN))
    world.wait(2 * PAUSE_S)
    assert used(world) == ["d2"]
    world.tell(e.ResumeRun(RUN))
    world.wait(PAUSE_S + 0.1)
    assert used(world) == ["d2", "d2"]


def test_what_was_written_before_bars_could_yield_means_what_it_did():
    world = barred()
    fact = f.TaskRecovering(
        RUN,
        world.row("t").spec.id,
        f.Awaiting.BACKOFF,
        9.0,
        None,
        charged=False,
        why="",
        readmits=True,
    )
    world.engine.apply(fact)
    assert world.row("t").excluded == world.row("t").barred == {"d2"}
