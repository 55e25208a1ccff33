import pytest

from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import (
    drawn,
    fleet,
    limits,
    play,
    tasks_of,
    world_of,
)
from tests.support.world import edge, task


def in_time(world):
    return [name for name, run in world.engine.state.runs.items() if run.status == "succeeded"]


def overload(policy, seed, *, deadline_s=40.0, count=14):
    """One-task runs with one deadline, more than one device can do by then; the longest first."""
    durations = sorted((drawn(seed, n, 1, 12) for n in range(count)), reverse=True)
    world = world_of(policy, checked=False)
    for n, p in enumerate(durations):
        world.submit(
            task(f"t{n}", estimate_s=float(p)), run=f"r{n}", limits=limits(deadline_s=deadline_s)
        )
    world.device("d")
    play(world)
    return durations, len(in_time(world))


@pytest.mark.parametrize("seed", range(6))
def test_as_many_runs_as_possible_meet_one_deadline(seed):
    durations, done = overload(Policy.GOODPUT, seed)
    most, at = 0, 0
    for p in sorted(durations):  # Moore 1968, for one due date: the shortest first
        at += p
        most += at < 40
    assert done == most > overload(Policy.FIFO, seed)[1]


def test_a_run_is_worth_the_same_however_many_tasks_it_has():
    """The wide run has 16 s of work, but its path is 4 s: the small one has 3."""
    world = world_of(Policy.GOODPUT, *fleet(1))
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.submit(*(task(f"wide{n}", estimate_s=4.0) for n in range(4)), run="r1")
    world.submit(task("small", estimate_s=3.0), run="r2")
    assert tasks_of(play(world))[1] == "small"


def test_who_can_no_longer_be_in_time_runs_when_nothing_else_does():
    """The short run is worth more for its work, but has 20 s left to do in 10."""
    world = world_of(Policy.GOODPUT, *fleet(1))
    world.submit(task("first", estimate_s=5.0), run="r0")
    world.submit(
        *(task("lost", estimate_s=1.0), task("tail", estimate_s=19.0), edge("lost", "tail")),
        run="r1",
        limits=limits(deadline_s=10.0),
    )
    world.submit(task("long", estimate_s=30.0), run="r2", limits=limits(deadline_s=60.0))
    spans = play(world, until=40.0)
    assert tasks_of(spans)[:2] == ["first", "long"]


def test_what_becomes_hopeless_while_it_waits_gives_way():
    world = world_of(Policy.GOODPUT, *fleet(1))
    world.submit(task("first", estimate_s=6.0), run="r0")
    world.submit(task("short", estimate_s=3.0), run="r1", limits=limits(deadline_s=7.5))
    world.submit(task("long", estimate_s=8.0), run="r2", limits=limits(deadline_s=99.0))
    assert tasks_of(play(world))[:2] == ["first", "long"]


def test_what_nothing_becomes_of_still_uses_idle_capacity():
    world = world_of(Policy.GOODPUT, *fleet(1))
    world.submit(task("lost", estimate_s=20.0), limits=limits(deadline_s=10.0))
    assert world.where("lost") == "d0"
