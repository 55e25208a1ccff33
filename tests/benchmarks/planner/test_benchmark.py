from dataclasses import replace

import pytest

from benchmarks.frame import Options, run
from benchmarks.planner import campaign, costs
from benchmarks.planner.arms import ARMS, RATES
from benchmarks.planner.benchmark import BENCHMARK, GOALS
from benchmarks.planner.campaign import by_category, by_mistake, figures, whole
from benchmarks.planner.costs import ROUNDS
from benchmarks.planner.drive import Cell, Outcome

RIGHT = Outcome(
    number=0,
    category="chain",
    mistakes=(),
    success=True,
    completed=1.0,
    status="succeeded",
    reason="",
    latency_s=10.0,
    calls=1,
    tokens=100,
    accepted_first=True,
    revisions=0,
    rules=(),
)
SILENT = replace(RIGHT, number=1, mistakes=("swapped",), success=False, completed=0.5)
STATED = replace(
    RIGHT,
    number=2,
    category="join",
    mistakes=("cycle",),
    success=False,
    completed=0.0,
    status="failed",
    reason="no plan",
    latency_s=4.0,
    calls=4,
    tokens=600,
    accepted_first=False,
    revisions=1,
    rules=("cycle", "cycle"),
)
FULL = Cell("full", 30, 7, 4)
FOUND = [RIGHT, SILENT, STATED, replace(RIGHT, number=3)]


def test_figures_are_shares_and_means():
    values = figures(FULL, FOUND)
    assert values["success.full.30"] == 0.5
    assert values["completed.full.30"] == 2.5 / 4
    assert values["silent.full.30"] == 0.25
    assert values["latency_s.full.30"] == 8.5
    assert values["latency_p95_s.full.30"] >= 10.0
    assert values["calls.full.30"] == 7 / 4
    assert values["tokens.full.30"] == 225
    assert values["accepted_first.30"] == 0.75
    assert values["revisions.full.30"] == 0.25


def test_the_success_of_a_cell_has_an_interval():
    row = whole(FULL, FOUND)
    assert (row["arm"], row["percent"], row["requests"], row["seed"]) == ("full", 30, 4, 7)
    assert row["low"] < row["success"] == 0.5 < row["high"]


def test_one_arm_alone_tells_of_first_answers():
    assert "accepted_first.30" not in figures(replace(FULL, arm="repair"), FOUND)


def test_rows_tell_each_category_with_the_seed():
    chain, join = by_category(FULL, FOUND)
    assert (chain["category"], chain["requests"], chain["success"]) == ("chain", 3, 2 / 3)
    assert (join["category"], join["requests"], join["success"]) == ("join", 1, 0.0)
    assert {row["seed"] for row in (chain, join)} == {7}


def test_rows_tell_what_became_of_each_kind_of_mistake():
    rows = {row["mistake"]: row for row in by_mistake(FULL, FOUND)}
    assert rows["none"]["failed"] == 0
    assert (rows["swapped"]["failed"], rows["swapped"]["silent"]) == (1, 1)
    assert (rows["cycle"]["failed"], rows["cycle"]["silent"]) == (1, 0)
    assert rows["cycle"]["told"] == {"cycle": 1}
    failure = {"request": 2, "category": "join", "reason": "no plan"}
    assert rows["cycle"]["failures"] == [failure]


async def measured(part):
    """Run one part, small; return its figures and rows."""
    seen = []
    options = Options(quick=True, settings={"requests": 7})
    benchmark = replace(BENCHMARK, parts=(part,))
    result = await run(benchmark, options, report=seen.append)
    shares = [each.share for each in seen]
    assert shares == sorted(shares)
    return result


@pytest.mark.real_time
@pytest.mark.timeout(60)
async def test_every_arm_has_its_figures_at_every_rate():
    result = await measured(campaign.measure)
    wanted = {f"success.{arm}.{rate}" for arm in ARMS for rate in RATES}
    wanted |= {f"accepted_first.{rate}" for rate in RATES}
    assert wanted <= result.figures.keys()
    assert {result.figures[f"success.{arm}.0"] for arm in ARMS if arm != "sequential"} == {1.0}
    assert {row["seed"] for row in result.rows} == {0}
    assert {row["percent"] for row in result.rows} == set(RATES)


@pytest.mark.real_time
@pytest.mark.timeout(60)
async def test_costs_have_their_figures():
    result = await measured(costs.measure)
    assert {"dispatch_gap_ms", "dispatch_gap_ms.stop_world", "check_ms.200"} == {*result.figures}
    assert result.figures["dispatch_gap_ms"] < result.figures["dispatch_gap_ms.stop_world"] / 10
    assert [len(row["longest_ms"]) for row in result.rows if row["part"] == "gap"] == [ROUNDS] * 2


def test_every_goal_is_of_a_figure_that_is_measured():
    assert BENCHMARK.parts == (costs.measure, campaign.measure)
    assert GOALS.keys() == {"success.full.30", "dispatch_gap_ms", "check_ms.200"}
