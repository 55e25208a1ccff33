"""Wall time per task with everything in one process: library, agents, memory transport.

The journal is the durable one, with its shipped setting (NORMAL), in a temporary directory. Four
devices of 16 slots run a skill that does nothing. The time is from submitting a plan to having
the run's result.
"""

import asyncio
import gc
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agents.runtime import Agent
from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.overhead.plans import noop, plan
from orchestrator import Orchestrator
from orchestrator.journal import SqliteJournal
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId

DEVICES: Final = 4
SLOTS: Final = 16
TASKS: Final = 1_000
SHAPES: Final = ("independent", "chain")


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure both shapes in turns: medians over rounds, the first of which only warms up."""
    rounds = 5 if options.quick else 11
    wall_ms: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        yield Progress(number / (rounds + 1), f"in process: {TASKS:,} tasks")
        for shape in SHAPES:
            cost = await wall_ms_per_task(shape, TASKS)
            if number:
                wall_ms[shape].append(cost)
                yield Row({"part": "inprocess", "shape": shape, "wall_ms": cost})
    yield Figures(
        {
            f"inprocess.{shape}.{TASKS}.wall_ms": statistics.median(samples)
            for shape, samples in wall_ms.items()
        }
    )


async def wall_ms_per_task(shape: str, tasks: int) -> float:
    """Run one plan in a system of its own, made and connected before the clock starts."""
    batch = plan(shape, tasks)
    async with _system() as orchestrator:
        gc.collect()  # what was before is not this run's cost
        loop = asyncio.get_running_loop()
        began = loop.time()
        run = await orchestrator.submit("nothing", plan=batch)
        result = await run.result()
        wall_s = loop.time() - began
    assert result.succeeded, result.reason
    return wall_s * 1e3 / tasks


@asynccontextmanager
async def _system() -> AsyncIterator[Orchestrator]:
    broker = MemoryBroker()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="muster-bench-")))
        journal = SqliteJournal(folder / "journal.db")
        library = Orchestrator(broker.transport("coordinator"), journal=journal)
        orchestrator = await stack.enter_async_context(library)
        for number in range(DEVICES):
            card = DeviceCard(DeviceId(f"d{number}"), slots=SLOTS)
            agent = Agent(card, [noop], transport=broker.transport(card.device))
            await stack.enter_async_context(agent)
        await broker.flush()  # cards
        yield orchestrator
