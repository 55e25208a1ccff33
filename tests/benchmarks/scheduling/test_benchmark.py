import math

import pytest

from benchmarks.cli import CATALOG
from benchmarks.frame import BenchmarkError, Figures, Options, Row
from benchmarks.scheduling import benchmark
from benchmarks.scheduling.benchmark import BENCHMARK, GOALS, Outcome, figures, measure
from benchmarks.scheduling.policies import SCHEDULERS


def outcomes(makespans, *, case="sigma0", bound=1.0):
    """One outcome for each policy and world; who is not named is as long as HEFT."""
    policies = ["one_plan", benchmark.LATE, "fifo", *SCHEDULERS]
    return [
        Outcome(policy, case, world[0], world, found.get(policy, found["heft"]), bound)
        for world, found in makespans.items()
        for policy in policies
    ]


def test_it_can_be_asked_for():
    assert CATALOG["scheduling"] == "benchmarks.scheduling.benchmark"
    assert BENCHMARK.name == "scheduling"


def test_ratios_are_geometric_means_over_worlds():
    worlds = {"a1": {"heft": 2.0, "peft": 4.0}, "b1": {"heft": 8.0, "peft": 4.0}}
    found = figures(outcomes(worlds, bound=2.0))

    assert found["ratio.heft.sigma0"] == pytest.approx(2.0)
    assert found["ratio.peft.sigma0"] == pytest.approx(2.0)


def test_ours_stands_beside_heft_and_beside_the_best_single_scheduler():
    worlds = {
        "a1": {"one_plan": 6.0, "heft": 4.0, "peft": 1.0, "dls": 3.0},
        "b1": {"one_plan": 6.0, "heft": 4.0, "peft": 16.0, "dls": 3.0},
    }
    found = figures(outcomes(worlds))

    assert found["vs_heft.sigma0"] == pytest.approx(1.5)
    assert found["vs_heft.sigma0.low"] == found["vs_heft.sigma0.high"] == pytest.approx(1.5)
    assert found["vs_best_list.sigma0"] == pytest.approx(2.0)  # DLS: PEFT is best in one only


def test_interval_is_that_of_the_means_by_instance():
    """Logs of the means are 1 and -1: deviation √2, over √2 instances, so 1.96 to either side."""
    worlds = {
        "a1": {"one_plan": math.e, "heft": 1.0},
        "a2": {"one_plan": math.e, "heft": 1.0},
        "b1": {"one_plan": 1 / math.e, "heft": 1.0},
        "b2": {"one_plan": 1 / math.e, "heft": 1.0},
    }
    found = figures(outcomes(worlds))

    assert math.log(found["vs_heft.sigma0.low"]) == pytest.approx(-1.96)
    assert math.log(found["vs_heft.sigma0.high"]) == pytest.approx(1.96)


def test_worst_instance_is_that_with_the_largest_mean_over_fifo():
    worlds = {
        "a1": {"one_plan": 3.0, "fifo": 2.0, "heft": 1.0},
        "a2": {"one_plan": 2.0, "fifo": 3.0, "heft": 1.0},
        "b1": {"one_plan": 1.1, "fifo": 1.0, "heft": 1.0},
    }
    assert figures(outcomes(worlds))["worst_vs_fifo"] == pytest.approx(1.1)


@pytest.mark.timeout(120)
def test_every_goal_has_its_figure_and_every_row_says_where_it_is_from():
    items = list(measure(Options(quick=True, settings={"tasks": 6})))
    (found,) = (item.values for item in items if isinstance(item, Figures))
    rows = [item.values for item in items if isinstance(item, Row)]

    assert found.keys() >= GOALS.keys()
    assert {
        f"ratio.{name}.sigma{sigma}" for name in SCHEDULERS for sigma in ("0", "0.3", "0.5")
    } <= (found.keys())
    assert {row["devices"] for row in rows} == {4, 8, 16}
    assert all(row["makespan"] > 0 for row in rows)
    static = [row for row in rows if row["policy"] in SCHEDULERS and row["case"] == "sigma0"]
    assert static
    assert all(row["makespan"] >= row["bound"] * (1 - 1e-9) for row in static)


def test_a_trace_that_is_not_valid_ends_the_benchmark(monkeypatch):
    def shortened(*arguments, **rest):
        return replay(*arguments, **rest)[1:]

    replay = benchmark.replay
    monkeypatch.setattr(benchmark, "replay", shortened)
    with pytest.raises(BenchmarkError, match=r"heft in .*sigma0: 1 violations, first .*once"):
        list(measure(Options(quick=True, settings={"tasks": 4})))
