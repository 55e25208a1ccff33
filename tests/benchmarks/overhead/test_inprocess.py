import pytest

from benchmarks.frame import Figures, Options
from benchmarks.overhead import inprocess
from benchmarks.overhead.benchmark import GOALS
from benchmarks.overhead.inprocess import SHAPES, measure, wall_ms_per_task


@pytest.mark.real_time
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_run_with_a_journal_on_disk_is_timed(shape):
    assert 0 < await wall_ms_per_task(shape, 20) < 1_000


async def test_the_first_round_only_warms_up(monkeypatch):
    async def slow_at_first(_shape, _tasks):
        return costs.pop(0)

    costs = [9.0, 9.0, *[0.2, 0.3] * 5]
    monkeypatch.setattr(inprocess, "wall_ms_per_task", slow_at_first)

    items = [item async for item in measure(Options(quick=True))]

    (figures,) = [item.values for item in items if isinstance(item, Figures)]
    assert figures.keys() == {goal for goal in GOALS if goal.startswith("inprocess.")}
    assert list(figures.values()) == [0.2, 0.3]
