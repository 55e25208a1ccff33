import pytest

from orchestrator.core.scheduling.policies import Policy
from protocol.types import Succeeded
from tests.orchestrator.core.scheduling.shelf.driving import (
    fleet,
    limits,
    play,
    tasks_of,
    world_of,
)
from tests.orchestrator.core.scheduling.shelf.single import (
    instance,
    lateness,
    least_lateness,
    order_of,
)
from tests.support.world import edge, task


@pytest.mark.parametrize("seed", range(8))
def test_the_maximum_lateness_on_one_device_is_the_least_of_all_orders(seed):
    jobs = instance(seed, 6, tight=seed % 2 == 0)
    assert max(lateness(jobs, order_of(Policy.EDD, jobs))) == least_lateness(jobs)


def test_a_stage_is_due_by_its_share_of_the_longest_remaining_path():
    """a has 2 of 10 seconds left to do and 40 to do them in: due at 8; b has all of 30."""
    world = world_of(Policy.EDD, *fleet(1))
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.submit(task("b", estimate_s=5.0), run="r1", limits=limits(deadline_s=30.0))
    world.submit(
        *(task("a", estimate_s=2.0), task("rest", estimate_s=8.0), edge("a", "rest")),
        run="r2",
        limits=limits(deadline_s=40.0),
    )
    assert tasks_of(play(world))[1] == "a"


def test_what_has_no_deadline_comes_last_by_arrival_and_priority_before_all():
    world = world_of(Policy.EDD, *fleet(1))
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.submit(task("old", estimate_s=1.0), run="r1")
    world.submit(task("new", estimate_s=1.0), run="r2")
    world.submit(task("due", estimate_s=1.0), run="r3", limits=limits(deadline_s=900.0))
    world.submit(task("urgent", estimate_s=1.0), run="r4", priority=1)
    assert tasks_of(play(world)) == ["first", "urgent", "due", "old", "new"]


def test_a_task_that_takes_no_time_has_a_due_date_too():
    world = world_of(Policy.EDD, *fleet(1))
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.submit(task("late", estimate_s=1.0), run="r1", limits=limits(deadline_s=60.0))
    world.submit(task("none", estimate_s=0.0), run="r2", limits=limits(deadline_s=50.0))
    assert tasks_of(play(world)) == ["first", "none", "late"]


@pytest.mark.parametrize("policy", [Policy.EDD, Policy.MDD, Policy.GOODPUT])
@pytest.mark.parametrize("rows", [False, True])
def test_after_a_restart_on_another_clock_deadlines_are_those_of_before(policy, rows):
    """`old` has 40 of its 60 s left, `new` has 100: on the clock of before `old` had 1,040."""
    world = world_of(policy, *fleet(1))
    world.wait(1000.0)
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.submit(task("old", estimate_s=30.0), run="r1", limits=limits(deadline_s=60.0))
    for elapsed in (500.0, 5.0):
        world.restart(away_s=10.0, elapsed=elapsed, rows=rows)
    world.beat("d0", connected=True)
    world.submit(task("new", estimate_s=30.0), run="r2", limits=limits(deadline_s=100.0))
    (attempt,) = world.engine.state.attempts
    world.end(attempt, Succeeded(None))
    assert [offer.task for offer in world.offers.values()][-1] == "old"
