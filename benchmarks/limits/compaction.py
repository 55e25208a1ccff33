"""The journal's file while runs come and go: it holds what is kept, however much has flowed.

Runs of 1,000 tasks follow one another through the coordinator that ships, with the journal that
ships; ten ended runs are kept. The file is measured, log included, after each run. Each run's
events are counted before it ends: compaction takes none of a run that is kept.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.frame import BenchmarkError, Figures, Item, Options, Progress, Row
from benchmarks.limits.crowd import Crowd
from benchmarks.overhead.plans import plan
from benchmarks.overhead.processes import first_line, say
from benchmarks.virtual_clock import VirtualClockLoop
from orchestrator import Orchestrator
from orchestrator.core.tuning import Tuning
from orchestrator.journal import SqliteJournal

TASKS_OF_RUN: Final = 1_000
TASKS: Final = 100_000
QUICK_TASKS: Final = 24_000
KEPT: Final = 10
DEVICES: Final = 100
FACTS_OF_TASK: Final = 3  # placed, started, succeeded


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure the file in a process of its own."""
    tasks = QUICK_TASKS if options.quick else TASKS
    yield Progress(0.0, f"compaction while {tasks:,} tasks flow")
    async with first_line("benchmarks.limits.compaction", {"tasks": tasks}) as line:
        sizes_mb: list[float] = json.loads(line)
    for number, size_mb in enumerate(sizes_mb, start=1):
        yield Row({"part": "compaction", "tasks": number * TASKS_OF_RUN, "journal_mb": size_mb})
    half = len(sizes_mb) // 2
    yield Figures(
        {
            "limits.journal_mb": max(sizes_mb),
            "limits.journal_growth": max(sizes_mb[half:]) / max(sizes_mb[:half]),
        }
    )


async def flow(tasks: int) -> list[float]:
    """Let runs follow one another; return the size of the file after each, in MiB."""
    sizes_mb = []
    with TemporaryDirectory(prefix="muster-bench-") as folder:
        path = Path(folder) / "journal.db"
        crowd = Crowd(DEVICES, slots=10, task_s=0.2)
        tuning = Tuning(keep_runs=KEPT)
        journal = SqliteJournal(path)
        async with Orchestrator(crowd, journal=journal, tuning=tuning) as orchestrator:
            await asyncio.sleep(1.0)
            for _ in range(tasks // TASKS_OF_RUN):
                run = await orchestrator.submit("nothing", plan=plan("layered", TASKS_OF_RUN))
                assert (await run.result()).succeeded
                events = len(await journal.entries(run=run.id))
                if events < FACTS_OF_TASK * TASKS_OF_RUN:
                    raise BenchmarkError(f"{run.id} ended, and only {events} of it are left")
                sizes_mb.append(_size_mb(path))
    return sizes_mb


def _size_mb(journal: Path) -> float:
    return sum(each.stat().st_size for each in journal.parent.iterdir()) / 2**20


def main(settings: str) -> None:
    """Play the role: say what was found."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        say(json.dumps(runner.run(flow(json.loads(settings)["tasks"]))))


if __name__ == "__main__":
    main(sys.argv[1])
