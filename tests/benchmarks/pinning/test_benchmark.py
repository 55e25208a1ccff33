"""The benchmark as a whole, at small sizes."""

import pytest

from benchmarks.cli import CATALOG
from benchmarks.frame import Figures, Options, Progress, Row
from benchmarks.pinning import estimation, estimator, race, sustained, threshold
from benchmarks.pinning.benchmark import BENCHMARK, GOALS, SIMULATED
from benchmarks.pinning.charts import charts
from benchmarks.pinning.workloads import WORKLOADS


@pytest.mark.timeout(60)
def test_parts_yield_every_figure_that_has_a_goal_and_rows_for_every_chart(monkeypatch):
    sizes = dict.fromkeys(WORKLOADS, 16)
    for module in (race, sustained):
        monkeypatch.setattr(module, "RUNS", sizes)
    monkeypatch.setattr(race, "CAPACITY_RUNS", 50)
    monkeypatch.setattr(race, "QUICK_LOADS", (0.85, 0.95))
    monkeypatch.setattr(sustained, "TTLS_S", (2.0,))
    monkeypatch.setattr(threshold, "FEWER_RUNS", sizes)
    monkeypatch.setattr(threshold, "QUICK_GRID", (0.9, 1.0))
    monkeypatch.setattr(estimation, "QUICK_DRAWN", 2)
    monkeypatch.setattr(estimation, "EXACT", 500)
    monkeypatch.setattr(threshold, "QUANTILES", 50)
    monkeypatch.setattr(estimator, "TIMES", 200)
    options = Options(quick=True, settings={"seeds": 1, "jobs": 1})
    items = [item for part in SIMULATED for item in part(options)]
    figures = {name for item in items if isinstance(item, Figures) for name in item.values}
    assert {name for name in GOALS if not name.startswith("live.")} <= figures
    assert "threshold_argmin" in figures
    rows = [item.values for item in items if isinstance(item, Row)]
    assert {row["part"] for row in rows} == {"race", "sustained", "threshold", "estimation"}
    assert len(charts(rows)) == 6 * 3 + 3 + 1 + 1
    shares = [item.share for item in items if isinstance(item, Progress)]
    assert min(shares) >= 0.0
    assert max(shares) == 1.0


def test_it_can_be_asked_for():
    assert CATALOG["pinning"] == "benchmarks.pinning.benchmark"
    assert BENCHMARK.settings.keys() == {"seeds", "jobs"}
