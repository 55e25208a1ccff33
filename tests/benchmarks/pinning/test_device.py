"""The simulated device against arithmetic."""

import pytest

from benchmarks.pinning.arms import ARMS, Arm, Fixed, fixed
from benchmarks.pinning.device import Device, Outcome
from tests.benchmarks.pinning.builders import run

RELOAD_S = 10.0


def completions(runs, arm):
    return Device(runs, arm(RELOAD_S), 1.0, slots=1).run().completion_s


@pytest.mark.parametrize(
    ("arm", "expected_s"),
    [
        ("no_pin", [10 + 1 + 5 + 10 + 1]),
        ("lru", [10 + 1 + 5 + 1]),
        ("fixed_2s", [10 + 1 + 5 + 1]),  # evictable, but nobody wants the memory
        ("clairvoyant", [10 + 1 + 5 + 1]),
    ],
)
def test_a_run_alone_reloads_only_what_was_dropped(arm, expected_s):
    assert completions([run(0.0, (1.0, 5.0), (1.0, 0.0))], ARMS[arm]) == expected_s


@pytest.mark.parametrize(
    ("ttl_s", "expected_s"),
    [
        (9.0, [17.0, 27.0]),  # it waits until the run before it is done
        (2.0, [35.0, 23.0]),  # it takes the memory at 13 s; the first comes back cold
        (0.0, [33.0, 21.0]),
    ],
)
def test_a_protected_pin_makes_the_next_run_wait(ttl_s, expected_s):
    runs = [run(0.0, (1.0, 5.0), (1.0, 0.0)), run(1.0, (1.0, 0.0))]
    assert completions(runs, fixed(ttl_s)) == expected_s


@pytest.mark.parametrize(("knows_last", "second_s"), [(True, 21.0), (False, 24.0)])
def test_who_does_not_know_the_last_use_keeps_for_nothing(knows_last, second_s):
    runs = [run(0.0, (1.0, 0.0)), run(1.0, (1.0, 0.0))]

    def arm(reload_s):
        return Arm(reload_s, Fixed(3.0), knows_last)

    assert completions(runs, arm) == [11.0, second_s]


def test_the_busy_share_counts_the_time_in_which_somebody_waited():
    outcome = Outcome(work=[(1.0, 7.0), (2.0, 3.0), (10.0, 1.0), (11.0, 50.0)], last_first_s=10.0)
    assert outcome.busy_share(2, 0.1) == 4.0 / (2 * 9.0)
    assert outcome.busy_share(2, 0.0) == 11.0 / 20.0
