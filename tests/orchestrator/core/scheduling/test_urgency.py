"""Runs with deadlines go first by when they are due; whoever has none waits, but not for ever."""

from functools import partial
from itertools import pairwise

import pytest

from orchestrator.core.chance import unit
from orchestrator.core.facts import RunStatus
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.survey import survey, unstarted
from orchestrator.core.scheduling.urgency import PATIENCE_S, in_turn, left
from tests.orchestrator.core.scheduling.shelf.driving import (
    drawn,
    fleet,
    limits,
    play,
    tasks_of,
    world_of,
)
from tests.support.world import edge, task


def a_world(*, devices=1, policy=Policy.ONE_PLAN, **rest):
    return world_of(policy, *fleet(devices), **rest)


def submit(world, run, *estimates, deadline_s=None, **rest):
    """Submit a run that is a chain of tasks, named after it."""
    tasks = [task(f"{run}{n or ''}", estimate_s=s) for n, s in enumerate(estimates)]
    edges = [edge(a.id, b.id) for a, b in pairwise(tasks)]
    world.submit(*tasks, *edges, run=run, limits=limits(deadline_s=deadline_s), **rest)


def late_binding(world):
    """Fill the only device, and have so many runs that there is no plan."""
    submit(world, "now", 1.0)
    world.device("else", "other", slots=99)
    for n in range(8):
        world.submit(task(f"x{n}", "other", estimate_s=90.0), run=f"x{n}", limits=limits())


def planned(world):
    submit(world, "now", 1.0)


both = pytest.mark.parametrize("first", [planned, late_binding])


def order(world, runs, *, until=40.0):
    return [name for name in tasks_of(play(world, until=until)) if name in runs]


@both
def test_the_run_that_is_due_first_goes_first_and_the_others_as_they_came(first):
    world = a_world()
    first(world)
    for name, deadline_s in {"a": None, "b": 90.0, "c": None, "d": 30.0}.items():
        submit(world, name, 2.0, deadline_s=deadline_s)
    assert order(world, "abcd") == ["d", "b", "a", "c"]


@both
def test_a_task_is_due_early_enough_for_what_follows_it(first):
    """`a` may end at 40, `b` at 50 - 20: whoever looks at deadlines alone starts with `a`."""
    world = a_world()
    first(world)
    submit(world, "a", 5.0, deadline_s=40.0)
    submit(world, "b", 5.0, 20.0, deadline_s=50.0)
    assert order(world, ["a", "b", "b1"]) == ["b", "a", "b1"]


@both
def test_what_will_be_late_whatever_comes_first_does_not_make_others_late(first):
    world = a_world()
    first(world)
    submit(world, "lost", 20.0, deadline_s=15.0)
    submit(world, "in_time", 9.0, deadline_s=16.0)
    play(world, until=40.0)
    assert world.run("in_time").status is RunStatus.SUCCEEDED
    assert world.run("lost").status is RunStatus.FAILED


@both
def test_priority_goes_before_urgency(first):
    world = a_world()
    first(world)
    submit(world, "due", 2.0, deadline_s=9.0)
    submit(world, "important", 2.0, priority=1)
    assert order(world, ["due", "important"]) == ["important", "due"]


def test_no_task_is_planned_before_those_that_it_waits_for():
    """The chain as a whole will be late, and its last task alone would not be."""
    world = a_world()
    submit(world, "a", 20.0, 1.0, deadline_s=15.0)
    submit(world, "b", 20.0, 1.0, deadline_s=15.0, priority=-1)
    board = world.engine.state.board
    seen = survey(board, unstarted(world.run("b")), world.at)
    order = in_turn(seen.outlook, seen.tasks, board.runs, order=[0, 1], now=world.at)
    assert [seen.tasks[number].spec.id for number in order] == ["b", "b1"]


def test_a_quick_device_makes_a_deadline_that_a_reference_device_would_miss():
    world = world_of(Policy.ONE_PLAN, ("quick", {"speed": 10.0}))
    late_binding(world)
    submit(world, "a", 20.0)
    submit(world, "b", 40.0, deadline_s=5.0)
    assert order(world, "ab") == ["b", "a"]


def test_what_takes_no_time_is_due_with_what_follows():
    assert left(3.0, reference_s=0.0, quickest_s=0.0) == (0.0, 3.0)


@pytest.mark.parametrize("rows", [True, False])
def test_after_a_restart_with_another_clock_it_is_the_same_order(rows):
    world = a_world()
    late_binding(world)
    submit(world, "a", 2.0)
    submit(world, "b", 2.0, deadline_s=100.0)
    world.restart(elapsed=50_000.0, rows=rows)
    world.beat("d0", connected=True)
    submit(world, "c", 2.0)
    submit(world, "d", 2.0, deadline_s=50.0)
    assert order(world, "abcd", until=50_040.0) == ["d", "b", "a", "c"]


def crowd(seed, *, policy):
    """Thirty runs, two in three with a deadline, on three devices that have too much to do."""
    world = a_world(devices=3, policy=policy, checked=False)
    arrivals = []
    for n in range(30):
        chain = [
            float(drawn(seed, 10 * n + k, 1, 9)) for k in range(drawn(seed, 10 * n + 4, 1, 3))
        ]
        slack = 1.5 + 6.0 * unit(seed, "slack", n)
        deadline_s = slack * sum(chain) if n % 3 else None
        at = 100.0 * unit(seed, "at", n)
        arrivals.append((at, partial(submit, world, f"r{n}", *chain, deadline_s=deadline_s)))
    play(world, then=arrivals)
    return sum(run.status is RunStatus.FAILED for run in world.engine.state.runs.values())


def test_fewer_runs_are_late_than_by_arrival():
    seeds = range(6)
    urgent = [crowd(seed, policy=Policy.ONE_PLAN) for seed in seeds]
    arrived = [crowd(seed, policy=Policy.EARLIEST_FINISH) for seed in seeds]
    assert all(a <= b for a, b in zip(urgent, arrived, strict=True))
    assert sum(urgent) < 0.7 * sum(arrived)


def test_nobody_starves():
    """There is always a run with a deadline to do; still, what has none has its turn in time."""
    world = a_world(checked=False)
    each_s = 60.0

    def another():
        submit(world, f"u{world.at}", each_s, deadline_s=10 * each_s)

    many = int(2 * PATIENCE_S / each_s)
    arrivals = [(each_s * n * 0.9, another) for n in range(many)]
    arrivals.append((each_s, partial(submit, world, "patient", each_s)))
    spans = play(world, until=2 * PATIENCE_S, then=arrivals)
    began = next(span.start for span in spans if span.run == "patient")
    assert each_s + PATIENCE_S / 2 < began <= PATIENCE_S + 3 * each_s
