"""Sweeps of the threshold, on the device and without it."""

import pytest

from benchmarks.frame import Figures, Options, Row
from benchmarks.pinning import closed_form, estimation, threshold
from benchmarks.pinning.arms import Told
from benchmarks.pinning.device import SLOTS, Device
from benchmarks.pinning.threshold import Case
from benchmarks.pinning.workloads import WORKLOADS, draw, evened
from orchestrator.core.retention.keeping import ByLease

HERE = {"jobs": 1, "seeds": 2}


def told(items):
    figures, rows = {}, []
    for item in items:
        if isinstance(item, Figures):
            figures |= item.values
        elif isinstance(item, Row):
            rows.append(item.values)
    return figures, rows


def test_a_sweep_finds_the_least_cost_over_workloads_together(monkeypatch):
    costs = {"swe": {0.9: 8.0}, "bfcl": {0.9: 1.2, 1.1: 0.9}, "crossdevice": {1.1: 0.99}}

    def cost(case):
        return (1.0 + case.seed) * costs[case.workload].get(case.threshold, 1.0)

    monkeypatch.setattr(threshold, "run", cost)
    monkeypatch.setattr(threshold, "QUICK_GRID", (0.9, 1.0, 1.1))
    figures, rows = told(threshold.measure(Options(quick=True, settings=HERE)))
    assert figures["threshold_argmin"] == figures["threshold_argmin.known"] == 1.1
    assert figures["threshold_distance"] == pytest.approx(0.1)
    assert figures["threshold_loss.learned"] == pytest.approx((0.9 * 0.99) ** (-1 / 3) - 1.0)
    swe = {"part": "threshold", "sweep": "known", "workload": "swe", "threshold": 0.9}
    assert [row for row in rows if swe.items() <= row.items()] == [
        swe | {"cost": pytest.approx(8.0), "low": pytest.approx(8.0), "high": pytest.approx(8.0)}
    ]
    assert len(rows) == 3 * 3 * 4  # sweeps, thresholds, workloads and all together


def test_with_gaps_known_a_full_device_costs_what_the_closed_form_says():
    workload = WORKLOADS["swe"]
    runs = evened(draw(workload, 0, 60))
    curves = {wait: closed_form.known(wait, 400) for wait in workload.waits}
    leases_s = {wait: curve.lease_s(workload.reload_s) for wait, curve in curves.items()}
    form = closed_form.held_s(workload, runs, leases_s.__getitem__) / closed_form.work_s(runs)
    arm = Told(workload.reload_s, ByLease(), curves=curves)
    static = 1.0 / Device(runs, arm, between_s=0.0).run().busy_share(SLOTS, 0.0)
    cost = threshold.run(Case("known", "swe", 0, 1.0, 60, 0.0))
    assert cost == static  # somebody always waits: the index never gets to renew a lease
    assert cost == pytest.approx(form, rel=0.03)


def test_a_wrong_threshold_costs_more_where_gaps_are_known_and_where_they_are_learned():
    for sweep in ("known", "learned"):
        cost = {
            at: threshold.run(Case(sweep, "crossdevice", 0, at, 120, 0.0)) for at in (0.1, 1, 8)
        }
        assert cost[1] < min(cost[0.1], cost[8])


def test_completion_is_swept_at_a_load():
    assert threshold.run(Case("completion", "bfcl", 0, 1.0, 60, 1.0)) > 5.0


def test_known_distributions_have_their_least_at_1_and_few_samples_cost_more():
    figures, rows = told(estimation.measure(Options(quick=True, settings=HERE)))
    assert figures["threshold_argmin.exact"] == 1.0
    assert figures["estimation_loss.exact"] == pytest.approx(0.0, abs=1e-9)
    losses = [figures[f"estimation_loss.window_{n}"] for n in (512, 128, 20)]
    assert 0.0 < losses[0] < losses[1] < losses[2]
    curves = {"exact", "window_20", "window_128", "window_512"}
    assert {(row["gaps"], row["threshold"]) for row in rows} == {
        (gaps, at) for gaps in curves for at in estimation.GRID
    }
