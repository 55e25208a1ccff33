import json
import statistics
from contextlib import nullcontext
from dataclasses import replace

import pytest

from benchmarks.cli import CATALOG
from benchmarks.frame import BenchmarkError, Figures, Options, Row
from benchmarks.scheduling import optimum, race
from benchmarks.scheduling.benchmark import BENCHMARK, GOALS, measure
from benchmarks.scheduling.charts import CASES, charts
from benchmarks.scheduling.drive import drive
from benchmarks.scheduling.figures import ALONE, LATE, NO_HEDGE, OURS
from benchmarks.scheduling.fleets import related, unrelated
from benchmarks.scheduling.generators import layered
from benchmarks.scheduling.model import makespan, problem
from benchmarks.scheduling.noise import Loss, Noise
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.worlds import World, worlds
from orchestrator.core.scheduling.policies import Policy
from tests.benchmarks.scheduling.papers import FT06

HERE = {"jobs": 1, "exact": 0}


def test_it_can_be_asked_for():
    assert CATALOG["scheduling"] == "benchmarks.scheduling.benchmark"
    assert BENCHMARK.name == "scheduling"


@pytest.fixture
def graphs(tmp_path):
    """A fork of 4."""
    form = {
        "id": "fork",
        "family": "by hand",
        "cats": ["work"],
        "names": None,
        "tasks": [[1.0 + number, 0, None, 1] for number in range(4)],
        "edges": [[0, target, 9.0] for target in (1, 2, 3)],
    }
    (tmp_path / "fork.json").write_text(json.dumps(form))
    return {"instances": tmp_path}


def test_every_goal_has_its_figure_and_every_row_says_where_it_is_from(graphs):
    options = Options(quick=True, settings=HERE, paths=graphs)
    items = [item for part in BENCHMARK.parts for item in part(options)]
    (found,) = (item.values for item in items if isinstance(item, Figures))
    rows = [item.values for item in items if isinstance(item, Row)]
    raced = [row for row in rows if row["part"] == "race"]

    assert found.keys() >= GOALS.keys() - {"vs_cpsat.sigma0"}
    assert {
        f"ratio.{name}.sigma{sigma}"
        for name in (*SCHEDULERS, *race.ARMS.values())
        for sigma in ("0", "0.3", "0.5")
    } <= found.keys()
    assert {row["devices"] for row in raced} == {4, 8, 16}
    assert {(row["fleet"], row["devices"]) for row in raced if row["policy"] == "heft"} == {
        *(("unrelated", devices) for devices in (4, 8, 16)),
        ("related", 8),
    }
    assert {row["fleet"] for row in raced if row["policy"] in {ALONE, LATE}} == {"unrelated"}
    assert {f"improved.{case}" for case in CASES} <= found.keys()
    assert {f"related.vs_heft.{case}" for case in CASES} <= found.keys()
    assert all(row["makespan"] > 0 for row in raced)
    static = [row for row in raced if row["policy"] in SCHEDULERS and row["case"] == "sigma0"]
    assert static
    assert all(row["makespan"] >= row["bound"] * (1 - 1e-9) for row in static)
    assert {picture.name for picture in charts(rows)} >= {
        *("ratio_sigma0", "ratio_sigma0.3", "ratio_sigma0.5", "ratio_device_lost"),
        *("ratio_stragglers", "scaling", "decisions", "gantt"),
    }


def test_a_goal_that_needs_ortools_is_claimed_only_where_it_is():
    assert ("vs_cpsat.sigma0" in GOALS) == optimum.installed()


def test_a_trace_that_is_not_valid_ends_the_benchmark(monkeypatch, graphs):
    def shortened(*arguments, **rest):
        return replay(*arguments, **rest)[1:]

    replay = race.replay
    monkeypatch.setattr(race, "replay", shortened)
    with pytest.raises(BenchmarkError, match=r"heft in .*sigma0: 1 violations, first .*once"):
        list(measure(Options(quick=True, settings=HERE, paths=graphs)))


@pytest.mark.timeout(60)
def test_worlds_are_measured_in_other_processes_with_the_same_outcome(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.jss").write_text("2 2\n0 3 1 2\n1 2 0 4\n")

    def makespans(jobs):
        settings = {**HERE, "jobs": jobs, "seeds": 1}
        options = Options(quick=True, settings=settings, paths={"instances": tmp_path})
        rows = [item.values for item in measure(options) if isinstance(item, Row)]
        return [row for row in rows if row["part"] == "race"]

    assert makespans(2) == makespans(1) != []


def test_a_job_shop_loses_no_device_since_nobody_could_take_over(tmp_path):
    (tmp_path / "ft06.jss").write_text(FT06)
    (world,) = worlds(Options(settings={"seeds": 1, "exact": 0}, paths={"instances": tmp_path}))
    raced = race.race(replace(world, shelf=False))

    assert {each.case for each in raced.outcomes} == {
        *("sigma0", "sigma0.3", "sigma0.5", "stragglers")
    }
    assert all(each.makespan >= 55 for each in raced.outcomes if each.case == "sigma0")


def test_plans_made_anew_are_counted_as_improvement():
    """The submission and, where a device is lost, the plan for the rest."""
    graph = layered(15, 0)
    there = problem(graph, related(graph, 4, 0))
    calm = drive(there, Policy.ONE_PLAN, Noise(), improves=False)
    loss = Noise(loss=Loss(0, 0.4 * makespan(calm.trace)))
    lost = drive(there, Policy.ONE_PLAN, loss, improves=False)

    assert calm.improve_ms == calm.plan_ms
    assert lost.improve_ms > lost.plan_ms
    assert drive(there, Policy.FIFO, Noise()).improve_ms == 0.0


def test_a_submission_that_asks_for_a_better_plan_counts_as_a_plan_and_the_rest_as_search():
    graph = layered(40, 0)
    there = problem(graph, related(graph, 4, 0))
    calm, searched = (
        drive(there, Policy.ONE_PLAN, Noise(), improves=improves) for improves in (False, True)
    )

    assert calm.search_ms == 0.0
    assert 0.0 < searched.plan_ms == searched.improve_ms > statistics.fmean(searched.decisions_ms)
    assert searched.search_ms > 0.0
    assert len(calm.decisions_ms) >= 2 * 40  # each task started and finished


def test_one_arm_of_the_race_is_ours_without_a_search_beside_the_run():
    graph = layered(60, 2)
    world = World(graph, unrelated(graph, 8, 2), 0, "unrelated")
    traces = dict(race._Race(world)._traces("sigma0", Noise()))
    alone = drive(problem(graph, world.fleet), Policy.ONE_PLAN, Noise(), improves=False).trace

    assert traces[ALONE] == alone
    assert makespan(traces[OURS]) < makespan(alone)


def test_where_nothing_is_to_be_run_is_one_line(graphs):
    with pytest.raises(BenchmarkError, match="no instance with two tasks"):
        list(measure(Options(settings={**HERE, "tasks": 2}, paths=graphs)))


@pytest.mark.parametrize(("arm", "wrong"), [("one_plan", 0), ("heft", 1), (NO_HEDGE, 1)])
def test_only_arms_that_hedge_may_have_two_copies(arm, wrong, graphs):
    """Both copies run over the same time; the first result counts."""
    world = next(worlds(Options(settings=HERE, paths=graphs)))
    there = problem(world.instance, world.fleet)
    trace = list(SCHEDULERS["heft"](Plan(there)).executions())
    spare = max(set(there.devices) - {each.device for each in trace})
    trace.append(replace(trace[0], device=spare, done=False))

    judged = race._Race(world)._judge
    with pytest.raises(BenchmarkError, match="copies") if wrong else nullcontext():
        judged(there, trace, noise=Noise(), policy=arm, case="sigma0")
