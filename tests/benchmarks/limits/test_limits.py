"""The benchmark of limits, at sizes that a test can wait for."""

import asyncio

import pytest

from benchmarks.cli import CATALOG
from benchmarks.frame import BenchmarkError, Figures, Options
from benchmarks.limits import compaction, fleet, large_run
from benchmarks.limits.benchmark import BENCHMARK, GOALS
from benchmarks.limits.crowd import Crowd
from benchmarks.limits.turns import TimedLoop
from benchmarks.overhead.plans import plan
from orchestrator import Orchestrator


def on_timed_loop(coroutine):
    with asyncio.Runner(loop_factory=TimedLoop) as runner:
        return runner.run(coroutine)


def test_it_can_be_asked_for():
    assert CATALOG["limits"] == "benchmarks.limits.benchmark"
    assert BENCHMARK.name == "limits"


def test_a_fleet_is_full_at_once():
    found = on_timed_loop(fleet.crowded(10, 3))
    assert (found["devices"], found["running"]) == (10, 30)
    assert found["pause_ms"] >= found["pause_p99_ms"] > 0


def test_a_run_says_what_its_tasks_cost():
    found = on_timed_loop(large_run.large(500))
    assert found["tasks"] == 500
    assert found["bytes_per_task"] >= 0
    assert found["pause_ms"] >= found["pause_p99_ms"] > 0
    assert found["planning_pause_ms"] > 0


@pytest.mark.timeout(60)
def test_the_file_stops_growing_when_runs_are_forgotten(monkeypatch):
    monkeypatch.setattr(compaction, "TASKS_OF_RUN", 100)
    monkeypatch.setattr(compaction, "KEPT", 2)
    monkeypatch.setattr("orchestrator.journal.sqlite.LOG_BYTES", 200_000)
    monkeypatch.setattr("orchestrator.journal.sqlite.LOOK_AFTER", 1)
    monkeypatch.setattr("orchestrator.snapshots.GATHERED", 1)  # a tenth of everything else too
    sizes_mb = on_timed_loop(compaction.flow(2000))
    assert len(sizes_mb) == 20
    assert max(sizes_mb[10:]) <= 1.25 * max(sizes_mb[:10])


def test_events_that_are_missing_are_an_error(monkeypatch):
    monkeypatch.setattr(compaction, "TASKS_OF_RUN", 10)
    monkeypatch.setattr(compaction, "FACTS_OF_TASK", 100)
    with pytest.raises(BenchmarkError, match="are left"):
        on_timed_loop(compaction.flow(10))


def test_a_crowd_does_every_task_once_and_no_more_at_a_time_than_it_has_slots():
    async def run():
        crowd = Crowd(3, slots=2, task_s=1.0)
        async with Orchestrator(crowd) as orchestrator:
            result = await (await orchestrator.submit("x", plan=plan("independent", 20))).result()
        return crowd, result

    crowd, result = on_timed_loop(run())
    assert sorted(result.outputs.values()) == list(range(20))
    assert (crowd.peak, crowd.running) == (6, 0)


def test_the_longest_callback_and_the_usual_one_are_told_apart():
    def busy(count):
        return sum(range(count))

    async def some():
        loop = asyncio.get_running_loop()
        for _ in range(300):
            loop.call_soon(busy, 1)
        loop.call_soon(busy, 1_000_000)
        await asyncio.sleep(0.1)
        return loop.pauses_ms(), loop.pauses_ms()

    (longest, usual), (nothing, _) = on_timed_loop(some())
    assert longest > 2 > usual
    assert nothing == 0.0


@pytest.mark.real_time  # it waits for a process, of which the virtual clock knows nothing
@pytest.mark.parametrize("part", BENCHMARK.parts)
async def test_every_part_plays_its_role_in_a_process_of_its_own(part, monkeypatch):
    monkeypatch.setattr(fleet, "DEVICES", 5)
    monkeypatch.setattr(large_run, "TASKS", 300)
    monkeypatch.setattr(compaction, "TASKS", 2000)
    found = {}
    async for item in part(Options()):
        if isinstance(item, Figures):
            found |= item.values
    assert found
    assert found.keys() & GOALS.keys()
