"""The list schedulers against the examples of their papers, and against what always holds."""

import pytest
from hypothesis import given, settings

from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.model import Device, Fleet, Instance, Task, makespan, problem
from benchmarks.scheduling.noise import Noise
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS, cpop, dls, heft, peft
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.validator import violations
from tests.benchmarks.scheduling.papers import ARABNEJAD, TOPCUOGLU, exact, problems


def planned(name, there):
    return SCHEDULERS[name](Plan(there)).executions()


def gantt(name, there):
    """What runs where and when, counted from 1 as the papers do."""
    return {e.task + 1: (e.device + 1, e.start, e.finish) for e in planned(name, there)}


def test_heft_makes_the_schedule_of_its_paper():
    assert gantt("heft", TOPCUOGLU) == {
        1: (3, 0, 9),
        3: (3, 9, 28),
        4: (2, 18, 26),
        2: (1, 27, 40),
        5: (3, 28, 38),
        6: (2, 26, 42),
        9: (2, 56, 68),
        7: (3, 38, 49),
        8: (1, 57, 62),
        10: (2, 73, 80),
    }


def test_upward_ranks_are_those_of_the_paper():
    ranks = [108.0, 77.0, 80.0, 80.0, 69.0, 63.333, 42.667, 35.667, 44.333, 14.667]
    assert heft.upward_ranks(TOPCUOGLU) == pytest.approx(ranks, abs=1e-3)


def test_cpop_makes_the_schedule_of_its_paper():
    assert gantt("cpop", TOPCUOGLU) == {
        1: (2, 0, 16),
        2: (2, 16, 35),
        3: (1, 28, 39),
        7: (1, 39, 46),
        4: (3, 25, 42),
        5: (2, 35, 48),
        9: (2, 65, 77),
        6: (3, 42, 51),
        8: (3, 54, 68),
        10: (2, 79, 86),
    }


def test_critical_path_is_that_of_the_paper():
    found = cpop.critical_path(TOPCUOGLU, cpop.priorities(TOPCUOGLU))
    assert [task + 1 for task in found] == [1, 2, 9, 10]


@pytest.mark.parametrize(
    ("name", "there", "length"),
    [
        ("heft", TOPCUOGLU, 80),  # section 4: HEFT 80, CPOP 86, DLS 91
        ("cpop", TOPCUOGLU, 86),
        ("dls", TOPCUOGLU, 91),
        ("heft", ARABNEJAD, 133),  # section 4: PEFT 122, look-ahead 127, HEFT 133
        ("lookahead", ARABNEJAD, 127),
        ("peft", ARABNEJAD, 122),
    ],
)
def test_schedule_is_as_long_as_the_paper_says(name, there, length):
    assert makespan(planned(name, there)) == length


def test_optimistic_costs_are_those_of_the_paper():
    assert peft.optimistic_costs(ARABNEJAD) == [
        *([64, 68, 86], [42, 39, 42], [27, 41, 43], [42, 39, 50], [28, 37, 28]),
        *([42, 39, 44], [13, 16, 22], [13, 16, 33], [13, 16, 20], [0, 0, 0]),
    ]


def test_dynamic_levels_weigh_start_and_speed():
    """Medians 5, 3 and 2, so static levels 5, 5 and 2. The levels of each pair by hand:
    first task 1 on device 1: 5 - 0 + 1 = 6, the highest, until 4. Then task 2 on device 2:
    5 - 0 - 1 = 4, and on device 1: 5 - 4 + 1 = 2. Then task 3 on device 1: 2 - 5 (its data came
    over the link at 5) + 1 = -2, on device 2: 2 - 4 - 1 = -3.
    """
    there = exact([(4, 6), (2, 4), (1, 3)], [(2, 3, 1)])

    assert dls.static_levels(there, dls.usual_costs(there)) == [5, 5, 2]
    assert gantt("dls", there) == {1: (1, 0, 4), 2: (2, 0, 4), 3: (1, 5, 6)}


INDEPENDENT = exact([(2, 4), (3, 3), (4, 9), (8, 10)])


def test_minmin_takes_first_what_is_done_first():
    """Task 1 is done at 2 on device 1; then task 2 at 3 on device 2; then task 3 at 2 + 4 = 6 on
    device 1; then task 4 at 6 + 8 = 14 on device 1, or 3 + 10 = 13 on device 2.
    """
    assert gantt("minmin", INDEPENDENT) == {
        1: (1, 0, 2),
        2: (2, 0, 3),
        3: (1, 2, 6),
        4: (2, 3, 13),
    }


def test_maxmin_takes_first_what_is_done_last_even_so():
    """Task 4 at best at 8 on device 1; then 3 at 9 on device 2 (12 on device 1); then of task 1
    (10 on device 1) and task 2 (11 on device 1) the latter; then task 1 at 13 on either: device 1.
    """
    assert gantt("maxmin", INDEPENDENT) == {
        4: (1, 0, 8),
        3: (2, 0, 9),
        2: (1, 8, 11),
        1: (1, 11, 13),
    }


def test_mct_takes_tasks_as_they_come():
    """As MinMin here but for the order, which is given: 1, 2, 3, 4."""
    backwards = exact([(8, 10), (4, 9), (3, 3), (2, 4)])
    assert gantt("mct", backwards) == {1: (1, 0, 8), 2: (2, 0, 9), 3: (1, 8, 11), 4: (1, 11, 13)}


def test_heft_fills_a_gap_that_is_long_enough():
    """Device 1 waits from 1 to 3 for the data of task 1; task 4, the last in rank, fits there."""
    there = exact([(9, 1), (1, 9), (3, 9), (2, 9)], [(1, 3, 2), (2, 3, 0)])

    assert gantt("heft", there) == {1: (2, 0, 1), 2: (1, 0, 1), 3: (1, 3, 6), 4: (1, 1, 3)}


def test_critical_path_that_no_device_can_do_alone_is_done_by_several():
    specialists = (Device(skills=frozenset("a")), Device(skills=frozenset("b")))
    fleet = Fleet(specialists, ((1.0, 1.0), (1.0, 1.0)))
    there = problem(Instance("two", (Task(1.0, "a"), Task(2.0, "b")), ()), fleet)

    assert violations(there, planned("cpop", there)) == []


def test_a_plan_that_took_back_is_as_before():
    plan = Plan(TOPCUOGLU)
    first = plan.earliest(0, 2)
    plan.take(first)
    before = [plan.earliest(task, d) for task in (1, 2, 3) for d in range(3)]
    second = plan.earliest(1, 2)
    plan.take(second)
    plan.take_back(second)

    assert [plan.earliest(task, d) for task in (1, 2, 3) for d in range(3)] == before
    assert plan.executions() == (first,)


@pytest.mark.parametrize("name", SCHEDULERS)
@settings(max_examples=40, deadline=None)
@given(there=problems())
def test_every_schedule_is_valid_and_no_shorter_than_the_bound(name, there):
    trace = planned(name, there)

    assert violations(there, trace) == []
    assert makespan(trace) >= lower_bound(there) * (1 - 1e-9)
    again = replay(there, SCHEDULERS[name], Noise(), planned=trace)
    assert makespan(again) <= makespan(trace) * (1 + 1e-9)
