"""One run of 100,000 tasks: what a task costs in memory, and how long anything else has to wait.

The coordinator is the one that ships, with its journal in memory, which keeps every fact and row;
the devices are a `Crowd`, which keeps next to nothing. Memory is that of the process, at its peak
between the submission and the result, above what it was before the plan was made; so the plan, the
graph, the attempts, the facts and the buffers on the way are all in it.

A pause is the CPU time of one callback of the loop, all that it does for the devices included.
Full collections are rare, as in the daemon; `limits.collector_ms` is what one takes. Taking the
plan is measured apart, for this plan of 1,000 layers and for one without dependencies.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Final

import psutil

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.limits.crowd import Crowd
from benchmarks.limits.turns import TimedLoop
from benchmarks.overhead.plans import plan
from benchmarks.overhead.processes import first_line, say
from orchestrator import EditBatch, Orchestrator, Run
from orchestrator.collection import rare_full_collections

DEVICES: Final = 100
SLOTS: Final = 10
TASK_S: Final = 0.2
TASKS: Final = 100_000
QUICK_TASKS: Final = 20_000
SAMPLES: Final = 40


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure one run in a process of its own; a quick one misses the goal of size."""
    tasks = QUICK_TASKS if options.quick else TASKS
    yield Progress(0.0, f"a run of {tasks:,} tasks")
    async with first_line("benchmarks.limits.large_run", {"tasks": tasks}) as line:
        found = json.loads(line)
    yield Row({"part": "large_run", **found})
    yield Figures({f"limits.{name}": value for name, value in found.items()})


async def large(tasks: int) -> dict[str, float]:
    """See a run of so many tasks through."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TimedLoop)
    crowd = Crowd(DEVICES, slots=SLOTS, task_s=TASK_S)
    async with Orchestrator(crowd) as orchestrator:
        await asyncio.sleep(1.0)
        gc.collect()
        before = _resident()
        run, planning_ms = await _submitted(orchestrator, plan("layered", tasks))
        async with asyncio.TaskGroup() as group:
            result = group.create_task(run.result())
            peak = _resident()
            while not result.done():
                await asyncio.wait([result], timeout=TASK_S * tasks / (DEVICES * SLOTS * SAMPLES))
                peak = max(peak, _resident())
        longest_ms, p99_ms = loop.pauses_ms()
        assert result.result().succeeded, result.result().reason
        began = time.thread_time()
        gc.collect()
        collector_ms = (time.thread_time() - began) * 1e3
        after = _resident()
        flat, flat_ms = await _submitted(orchestrator, plan("independent", tasks // 5))
        await flat.cancel()
    return {
        "tasks": tasks,
        "bytes_per_task": (peak - before) / tasks,
        "bytes_per_task_afterwards": (after - before) / tasks,
        "pause_ms": longest_ms,
        "pause_p99_ms": p99_ms,
        "planning_pause_ms": planning_ms,
        "planning_pause_flat_ms": flat_ms,
        "collector_ms": collector_ms,
    }


async def _submitted(orchestrator: Orchestrator, batch: EditBatch) -> tuple[Run, float]:
    """Submit a plan; return the run, and the longest pause in ms."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TimedLoop)
    await asyncio.sleep(0)  # making the plan is no pause of ours
    loop.pauses_ms()
    run = await orchestrator.submit("nothing", plan=batch)
    return run, loop.pauses_ms()[0]


def _resident() -> int:
    return psutil.Process().memory_info().rss


def main(settings: str) -> None:
    """Play the role: say what was found."""
    with rare_full_collections(), asyncio.Runner(loop_factory=TimedLoop) as runner:
        say(json.dumps(runner.run(large(json.loads(settings)["tasks"]))))


if __name__ == "__main__":
    main(sys.argv[1])
