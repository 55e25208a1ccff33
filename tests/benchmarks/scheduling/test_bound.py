import pytest

from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.model import Device, Fleet, Instance, Task, problem
from tests.benchmarks.scheduling.papers import exact


def fleet(*devices):
    return Fleet(devices, ((1.0,) * len(devices),) * len(devices))


def test_a_chain_is_bounded_by_its_least_costs_without_transfers():
    assert lower_bound(exact([(3, 4), (5, 2)], [(1, 2, 100)])) == 3 + 2


def test_devices_that_differ_in_speed_are_bounded_by_work_over_speed():
    six = Instance("six", (Task(2.0),) * 6, ())

    assert lower_bound(problem(six, fleet(Device(speed=3.0), Device()))) == pytest.approx(12 / 4)


def test_slots_count():
    six = Instance("six", (Task(2.0),) * 6, ())

    assert lower_bound(problem(six, fleet(Device(slots=2), Device(slots=1)))) == pytest.approx(4)


def test_unrelated_devices_are_bounded_by_their_least_costs():
    """Each device is quick at its own: equal weights give (1 + 1 + 1 + 1) / 2."""
    assert lower_bound(exact([(1, 9), (1, 9), (9, 1), (9, 1)])) == 2


def test_a_task_starts_no_earlier_than_its_release():
    late = Instance("late", (Task(2.0, release=5.0),), ())
    assert lower_bound(problem(late, fleet(Device()))) == 7


def test_work_that_takes_no_time_is_bounded_by_zero():
    nothing = Instance("nothing", (Task(0.0),), ())
    assert lower_bound(problem(nothing, fleet(Device()))) == 0
    assert lower_bound(problem(Instance("empty", (), ()), fleet(Device()))) == 0
