"""Noise, static schedules under it, and our engine: all by the same judge."""

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scheduling import drive as driving
from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.drive import drive
from benchmarks.scheduling.fleets import FLEETS, related, unrelated
from benchmarks.scheduling.generators import GENERATORS, layered, montage
from benchmarks.scheduling.model import (
    Device,
    Edge,
    Execution,
    Fleet,
    Instance,
    Task,
    makespan,
    problem,
)
from benchmarks.scheduling.noise import Loss, Noise, actual
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.validator import violations
from orchestrator.core import events as e
from orchestrator.core.engine import Engine
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId
from tests.benchmarks.scheduling.papers import TOPCUOGLU, exact, problems

HEFT = SCHEDULERS["heft"]


def wrong(there, trace, noise, *, hedges=0):
    """What the validator says of a trace, with the durations and the windows that came."""
    real = actual(there, noise)
    return violations(real, trace, duration=lambda each: noise.seconds(there, each), hedges=hedges)


def where(trace):
    return {(x.task + 1, x.device + 1, x.start, x.finish, x.done) for x in trace}


def test_factors_have_mean_1_and_the_spread_that_was_asked_for():
    noise = Noise(sigma=0.5, seed=3)
    factors = [noise.factor(task) for task in range(4000)]

    assert statistics.fmean(factors) == pytest.approx(1.0, abs=0.03)
    assert statistics.stdev(map(math.log, factors)) == pytest.approx(0.5, abs=0.02)


def test_luck_follows_from_seed_task_and_try_alone():
    here, there = Noise(0.3, seed=1), Noise(0.3, seed=1)
    [there.factor(task) for task in (5, 2, 9)]

    assert [here.factor(task) for task in range(9)] == [there.factor(task) for task in range(9)]
    assert here.factor(4) != here.factor(4, 1) != Noise(0.3, seed=2).factor(4, 1)


def test_stragglers_are_the_share_that_was_asked_for_and_three_to_ten_times_as_slow():
    noise = Noise(stragglers=0.05, seed=1)
    factors = [noise.factor(task) for task in range(4000)]
    slow = [factor for factor in factors if factor > 1.0]

    assert len(slow) / 4000 == pytest.approx(0.05, abs=0.01)
    assert 3.0 <= min(slow) < 4.0
    assert 9.0 < max(slow) <= 10.0
    assert set(factors) - set(slow) == {1.0}


def test_without_noise_a_schedule_is_executed_as_planned():
    assert makespan(replay(TOPCUOGLU, HEFT, Noise())) == 80


def test_a_lost_device_s_work_is_planned_again_on_the_rest():
    """Task 1 and then 2 on device 1, 3 and 4 on device 2, planned to 6 each. At 4 device 1 is
    lost with task 2 under way; task 4 runs to 6, and task 2 begins there when it is done.
    """
    there = exact([(3, 9), (3, 9), (9, 3), (9, 3)])
    trace = replay(there, HEFT, Noise(loss=Loss(0, 4.0)))

    assert where(trace) == {
        (1, 1, 0, 3, True),
        (2, 1, 3, 4, False),
        (3, 2, 0, 3, True),
        (4, 2, 3, 6, True),
        (2, 2, 6, 15, True),
    }
    assert wrong(there, trace, Noise(loss=Loss(0, 4.0))) == []


def test_data_of_before_a_loss_is_on_its_way_only_to_where_its_reader_was_meant_to_be():
    """Task 1, which sends 6, was done at 2; the loss is at 5."""
    there = exact([(2, 2, 2), (1, 1, 1), (1, 1, 1)], [(1, 2, 6), (1, 3, 6)])
    plan = Plan(there, not_before=5.0, meant={1: 1})
    plan.take(Execution(0, 0, 0.0, 2.0))

    assert [plan.data_ready(1, device) for device in there.devices] == [5.0, 8.0, 11.0]
    assert [plan.data_ready(2, device) for device in there.devices] == [5.0, 11.0, 11.0]
    made = Execution(0, 0, 5.0, 7.0)
    assert [plan.sent(made, 2, device) for device in there.devices] == [7.0] * 3


def test_after_a_loss_data_is_sent_anew_for_what_moved_and_not_for_what_stayed():
    """Task 1 on device 1 to 2 sends 6 to each of two: task 2, meant for device 2, stays there and
    begins at 8; task 3, meant for device 3, moves there when that is lost at 4, and has to wait
    for its data until 10.
    """
    never = math.inf
    there = exact([(2, never, never), (never, 1, never), (never, 1.5, 1)], [(1, 2, 6), (1, 3, 6)])
    noise = Noise(loss=Loss(2, 4.0))
    trace = replay(there, HEFT, noise)

    assert where(replay(there, HEFT, Noise())) == {
        (1, 1, 0.0, 2.0, True),
        (2, 2, 8.0, 9.0, True),
        (3, 3, 8.0, 9.0, True),
    }
    assert where(trace) == {
        (1, 1, 0.0, 2.0, True),
        (2, 2, 8.0, 9.0, True),
        (3, 2, 10.0, 11.5, True),
    }
    assert wrong(there, trace, noise) == []


@pytest.mark.parametrize("draw", [unrelated, related])
def test_the_engine_has_learned_how_fast_each_device_is_at_each_skill(draw):
    graph = montage(40, 3)
    there = problem(graph, draw(graph, 4, 3))
    world = driving._World(there, Engine(), Noise(), ahead=True)
    world._join()
    estimates = world._engine.state.estimates

    assert len({task.skill for task in graph.tasks}) > 3
    for task, row in zip(graph.tasks, there.costs, strict=True):
        for device, cost in enumerate(row):
            speed = there.fleet.devices[device].speed
            name = DeviceId(f"{device}")
            found = estimates.seconds(task.skill, name, speed=speed, declared=task.work)
            assert found == pytest.approx(cost, rel=1e-12)


def test_what_a_search_beside_the_run_finds_is_followed():
    graph = layered(60, 2)
    there = problem(graph, unrelated(graph, 8, 2))
    searched, without = (
        drive(there, Policy.ONE_PLAN, Noise(), improves=improves).trace
        for improves in (True, False)
    )

    assert wrong(there, searched, Noise()) == wrong(there, without, Noise()) == []
    assert makespan(searched) < 0.95 * makespan(without)


class Planned(driving._World):
    """Notes when all is to be done, by the first plan."""

    def _submit(self):
        super()._submit()
        self.planned = self._plan_kept.end


@pytest.mark.parametrize("draw", FLEETS.values(), ids=FLEETS)
@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_plan_is_kept_where_all_comes_as_it_was_estimated(make, draw):
    for seed in range(4):
        graph = make(60, seed)
        there = problem(graph, draw(graph, 8, seed))
        world = Planned(there, Engine(tuning=driving._TUNING), Noise(), ahead=True)
        world.run()
        assert makespan(world.trace) <= world.planned * (1 + 1e-9)


class Watched(driving._World):
    """Notes when a better plan is asked for, when the answer comes, and which decisions do so."""

    def __init__(self, there):
        tuning = replace(driving._TUNING, improve_cpu=driving.IMPROVE_CPU)
        super().__init__(there, Engine(tuning=tuning), Noise(), ahead=True)
        self.asked, self.answered, self.decided, self.searched = [], [], [], []

    def _decide(self, event, at):
        asked = len(self.asked)
        super()._decide(event, at)
        searches = isinstance(event, e.PlanImproved) or len(self.asked) > asked
        (self.searched if searches else self.decided).append(event)

    def _improve(self, problem, at):
        self.asked.append((problem.number, at + problem.takes_s))
        super()._improve(problem, at)

    def _let(self, happening, at):
        if isinstance(happening, e.PlanImproved):
            self.answered.append((happening.number, at))
        super()._let(happening, at)


def test_an_answer_comes_as_late_as_its_search_takes():
    graph = layered(40, 1)
    world = Watched(problem(graph, unrelated(graph, 8, 1)))
    world.run()

    assert len(world.asked) > 1
    assert world.answered == world.asked
    assert world.asked[0][1] > 0.0


def test_what_asks_for_a_better_plan_or_takes_it_is_no_other_decision():
    graph = layered(40, 1)
    world = Watched(problem(graph, unrelated(graph, 8, 1)))
    world.run()
    joined = sum(isinstance(event, e.Announced | e.Beat) for event in world.decided)

    assert isinstance(world.searched[0], e.Submit)
    assert len(world.decisions_ms) == len(world.decided) - joined


def test_the_engine_s_trace_is_what_its_devices_did():
    """On one device of speed 2 what takes longest goes first: ranks are 5, 4 and 2."""
    one = Fleet((Device(speed=2.0),), ((1.0,),))
    there = problem(Instance("three", (Task(2.0), Task(5.0), Task(4.0)), ()), one)
    driven = drive(there, Policy.EARLIEST_FINISH, Noise())

    assert where(driven.trace) == {
        (2, 1, 0.0, 2.5, True),
        (3, 1, 2.5, 4.5, True),
        (1, 1, 4.5, 5.5, True),
    }
    assert len(driven.decisions_ms) == 2 * 3  # started and finished; the submission is not one


def test_data_is_sent_when_the_engine_has_placed_a_task():
    """Device 2 alone can do the second task: its input is sent at 2, and takes 6 / 1.5."""
    two = Fleet((Device(skills=frozenset("a")), Device(skills=frozenset("b"))), ((1.0, 1.5),) * 2)
    graph = Instance("two", (Task(2.0, "a"), Task(1.0, "b")), (Edge(0, 1, 6.0),))
    driven = drive(problem(graph, two), Policy.FIFO, Noise())

    assert where(driven.trace) == {(1, 1, 0.0, 2.0, True), (2, 2, 6.0, 7.0, True)}


def test_the_engine_tries_again_elsewhere_what_a_lost_device_had():
    there = problem(
        Instance("four", (Task(3.0),) * 4, ()),
        Fleet((Device(), Device()), ((1.0, 1.0), (1.0, 1.0))),
    )
    noise = Noise(loss=Loss(0, 4.0))
    trace = drive(there, Policy.EARLIEST_FINISH, noise).trace

    assert wrong(there, trace, noise) == []
    assert makespan(trace) == 9.0
    assert [(each.device, each.start, each.finish) for each in trace if not each.done] == [
        (0, 3.0, 4.0)
    ]


def test_the_same_world_gives_the_same_trace():
    graph = layered(40, 7)
    there, noise = problem(graph, related(graph, 4, 7)), Noise(0.5, seed=7)

    first = drive(there, Policy.EARLIEST_FINISH, noise).trace
    assert drive(there, Policy.EARLIEST_FINISH, noise).trace == first


@pytest.mark.parametrize("policy", Policy)
@settings(max_examples=20, deadline=None)
@given(there=problems(), sigma=st.sampled_from([0.0, 0.5]), seed=st.integers(0, 99))
def test_every_policy_s_trace_is_valid_and_no_shorter_than_the_bound(policy, there, sigma, seed):
    noise = Noise(sigma, stragglers=0.1, seed=seed)
    trace = drive(there, policy, noise, hedges=False).trace

    assert wrong(there, trace, noise) == []
    assert makespan(trace) >= lower_bound(actual(there, noise)) * (1 - 1e-9)
    assert wrong(there, drive(there, policy, noise).trace, noise, hedges=1) == []


@settings(max_examples=60, deadline=None)
@given(
    there=problems(skills=False),
    name=st.sampled_from([*SCHEDULERS, *Policy]),
    share=st.floats(0.0, 1.1),
    seed=st.integers(0, 99),
)
def test_a_device_s_loss_at_any_time_leaves_a_valid_trace(there, name, share, seed):
    if len(there.devices) == 1:
        return  # nobody would be left
    at = share * makespan(replay(there, HEFT, Noise(0.3, seed=seed)))
    noise = Noise(0.3, seed=seed, loss=Loss(0, at))
    if name in SCHEDULERS:
        trace = replay(there, SCHEDULERS[name], noise)
    else:
        trace = drive(there, Policy(name), noise).trace

    assert wrong(there, trace, noise, hedges=1) == []


def test_a_straggler_s_copy_ends_it_and_without_hedges_there_is_none():
    """Twenty equal tasks on four devices, each tenth try 3 to 10 times as slow."""
    four = Fleet((Device(),) * 4, ((1.0,) * 4,) * 4)
    there = problem(Instance("equal", (Task(1.0),) * 20, ()), four)
    noise = Noise(stragglers=0.1, seed=7)
    with_copies, without = (
        drive(there, Policy.ONE_PLAN, noise, hedges=hedges).trace for hedges in (True, False)
    )

    assert wrong(there, with_copies, noise, hedges=1) == wrong(there, without, noise) == []
    assert all(each.done for each in without)
    assert any(not each.done for each in with_copies)
    assert makespan(with_copies) < makespan(without)


def test_a_cancelled_attempt_is_stopped_and_confirmed():
    """As a hedge's loser is; here the whole run is cancelled."""
    two = Fleet((Device(), Device()), ((1.0, 1.0),) * 2)
    there = problem(Instance("one", (Task(3.0),), ()), two)
    world = driving._World(there, Engine(policy=Policy.FIFO), Noise(), ahead=True)
    world._join()
    world._submit()
    (offer,) = world._held.values()
    world._start(offer, 0.0)
    world._decide(e.CancelRun(offer.run, "enough"), 1.0)

    assert world.trace == [Execution(0, 0, 0.0, 1.0, done=False)]
    assert world._engine.state.runs[offer.run].ended_at == 1.0
