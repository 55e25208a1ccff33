"""The closed form of the sustainable load: by hand, and against a device that is never idle."""

import math

import pytest

from benchmarks.pinning import closed_form, sustained
from benchmarks.pinning.workloads import WORKLOADS
from tests.benchmarks.pinning.builders import ASK, run


def test_it_counts_what_is_held():
    workload = WORKLOADS["bfcl"]
    runs = [run(0.0, (2.0, 5.0), (2.0, 1.0), (2.0, 99.0))]
    held = workload.reload_s + 3 * 2.0 + (3.0 + workload.reload_s) + 1.0
    assert closed_form.held_s(workload, runs, lambda _: 3.0) == pytest.approx(held)
    assert closed_form.work_s(runs) == 6.0


def test_what_follows_the_last_turn_is_no_gap():
    (curve,) = closed_form.curves([run(0.0, (2.0, 5.0), (2.0, 1.0), (2.0, 99.0))]).values()
    assert [time_s for _, _, time_s in curve.points] == [1.0, 5.0]


def test_a_known_distribution_is_its_quantiles():
    curve = closed_form.known(ASK, 99)
    assert curve.points[49][2] == pytest.approx(1.0)  # the median
    assert curve.points[49][1] == pytest.approx(0.5)
    assert curve.points[79][2] == pytest.approx(math.exp(0.5 * 0.8524), rel=1e-3)  # of 80.3 %


def test_the_best_lease_keeps_through_gaps_that_are_shorter_than_a_reload():
    workload = WORKLOADS["crossdevice"]
    runs = [run(0.0, *[(1.0, 2.0)] * 9, (1.0, 0.0))]
    assert closed_form.leases_s(workload, runs) == {ASK: 2.0}


def test_it_is_what_a_full_device_does():
    form, simulated = sustained.compare(sustained.Case("bfcl", 2.0, seed=0, runs=600))
    assert simulated == pytest.approx(form, rel=0.03)
