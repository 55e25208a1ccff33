import pytest

from benchmarks.frame import Figures, Options
from benchmarks.overhead import engine
from benchmarks.overhead.benchmark import GOALS
from benchmarks.overhead.engine import CASES, Case, cpu_ms_per_task, drifts, measure


@pytest.mark.parametrize("shape", ["independent", "chain", "layered"])
def test_a_run_of_any_shape_succeeds_and_costs_something(shape):
    assert 0 < cpu_ms_per_task(Case(shape, shape, 600, 3), seed=1) < 10


def test_every_case_has_a_figure_of_its_own():
    assert len({case.figure for case in CASES}) == len(CASES) == 12


def test_drift_is_the_largest_distance_from_the_smallest_size():
    costs = {Case("chain", "chain", tasks, 1): cost for tasks, cost in ((1, 4), (2, 5), (3, 3))}

    assert drifts(costs) == {"engine.chain.drift": 0.25}


def test_every_goal_of_the_engine_has_its_figure(monkeypatch):
    monkeypatch.setattr(engine, "cpu_ms_per_task", lambda _case, _seed: 0.05)

    figures = [item.values for item in measure(Options()) if isinstance(item, Figures)]

    assert {**figures[0], **figures[1]}.keys() == {g for g in GOALS if g.startswith("engine.")}
