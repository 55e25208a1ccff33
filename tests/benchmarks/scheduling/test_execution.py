"""Noise, static schedules under it, and our engine: all by the same judge."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scheduling import drive as driving
from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.drive import drive
from benchmarks.scheduling.fleets import fleet
from benchmarks.scheduling.generators import layered
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
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.validator import violations
from orchestrator.core import events as e
from orchestrator.core.scheduling.policies import Policy
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
    there, noise = problem(graph, fleet(graph, 4, 7)), Noise(0.5, seed=7)

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
    world = driving._World(there, Policy.FIFO, Noise())
    world._join()
    world._submit()
    (offer,) = world._held.values()
    world._start(offer, 0.0)
    world._decide(e.CancelRun(offer.run, "enough"), 1.0)

    assert world.trace == [Execution(0, 0, 0.0, 1.0, done=False)]
    assert world._engine.state.runs[offer.run].ended_at == 1.0
