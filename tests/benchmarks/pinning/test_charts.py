"""Rows as charts, and a result as a page."""

import json
import math
import sys

import pytest

from benchmarks import report
from benchmarks.chart import Chart, Mark
from benchmarks.frame import BenchmarkError
from benchmarks.pinning.charts import charts

RACE = [
    {
        "part": "race",
        "workload": "swe",
        "load": load,
        "seed": seed,
        "arm": arm,
        "mean_s": load * 10.0 * (1 + seed),
        "p95_s": 20.0,
        "reload_share": seed / 2,
        "held_s": 5.0,
    }
    for load in (0.95, 0.6)
    for seed in (0, 1)
    for arm in ("lru", "index", "index_blind", "clairvoyant")
]
REST = [
    {
        "part": "threshold",
        "sweep": "known",
        "workload": "all",
        "threshold": 0.9,
        "cost": 1.2,
        "low": 1.1,
        "high": 1.3,
    },
    {"part": "estimation", "gaps": "exact", "threshold": 1.0, "cost": 1.0},
    {
        "part": "sustained",
        "workload": "swe",
        "ttl_s": 2.0,
        "closed_form": 0.5,
        "simulated": 0.51,
    },
]
DOCUMENT = {
    "bench": "pinning",
    "seed": 0,
    "commit": "abc",
    "figures": {"a<b": 0.5, "c": 1.0},
    "goals": {"c": ["<=", 2.0], "d": [">=", 3.0]},
    "rows": RACE,
}
CHART = Chart("one", "One", "x", "y", {"line": [Mark(1.0, 2.0, 1.5, 2.5)]}, logarithmic=True)


def test_a_race_is_drawn_by_load_with_the_mean_of_the_seeds():
    drawn = {chart.name: chart for chart in charts(RACE)}
    assert drawn["completion_swe"].logarithmic
    times = drawn["completion_swe"].lines
    assert set(times) == {"lru", "index", "clairvoyant"}
    assert times["lru"] == (Mark(0.6, 9.0, 9.0, 9.0), Mark(0.95, 14.25, 14.25, 14.25))
    assert [mark.y for mark in drawn["reloads_swe"].lines["lru"]] == [0.25, 0.25]
    assert set(drawn["blind_swe"].lines) == {"index", "index_blind"}


def test_ratios_are_those_on_the_same_runs():
    rows = [dict(row) for row in RACE]
    for row in rows:
        if row["arm"] == "index":
            row["mean_s"] *= 1.1 + 0.1 * row["seed"]
    (chart,) = (each for each in charts(rows) if each.name == "completion_ratio_swe")
    assert not chart.logarithmic
    mark = chart.lines["index"][0]
    assert mark.y == pytest.approx(math.sqrt(1.1 * 1.2))
    assert mark.low < 1.1
    assert mark.high > 1.2
    assert [mark.y for mark in chart.lines["clairvoyant"]] == [1.0, 1.0]


def test_sweeps_and_shares_are_drawn_as_they_stand():
    drawn = {chart.name: chart.lines for chart in charts(REST)}
    assert drawn == {
        "threshold_known": {"all": [Mark(0.9, 1.2, 1.1, 1.3)]},
        "estimation": {"exact": [Mark(1.0, 1.0, 1.0, 1.0)]},
        "sustained": {
            "swe, closed form": [Mark(2.0, 0.5, 0.5, 0.5)],
            "swe, simulated": [Mark(2.0, 0.51, 0.51, 0.51)],
        },
    }


def test_a_page_shows_figures_beside_goals_and_keeps_the_result(tmp_path):
    page = report.write(DOCUMENT, [], tmp_path / "new")
    text = page.read_text(encoding="utf-8")
    assert "<td>a&lt;b<td>0.5<td></tr>" in text
    assert "<td>c<td>1<td>&lt;= 2</tr>" in text
    assert "<td>d<td>missing<td>&gt;= 3</tr>" in text
    assert "&quot;commit&quot;: &quot;abc&quot;" in text
    assert json.loads((tmp_path / "new" / "result.json").read_text(encoding="utf-8")) == DOCUMENT


def test_without_matplotlib_it_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BenchmarkError, match=r"muster\[plots\]"):
        report.write(DOCUMENT, [CHART], tmp_path)


def test_a_chart_becomes_a_picture_on_the_page(tmp_path):
    pytest.importorskip("matplotlib")
    page = report.write(DOCUMENT, [CHART], tmp_path)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert '<img src="one.png"' in page.read_text(encoding="utf-8")
