"""Follow a run from an offset, over a restart of the coordinator: the journal remembers."""

import asyncio
import tempfile
from pathlib import Path

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from orchestrator.journal import SqliteJournal
from protocol.transport.memory import MemoryBroker


@skill
async def double(number: int) -> int:
    """Double a number, slowly."""
    await asyncio.sleep(0.1)
    return 2 * number


async def main(journal: Path) -> None:
    """Watch the first half with one coordinator, the second half with the next."""
    broker = MemoryBroker()
    plan = [AddTask(TaskSpec("t0", "double", {"number": 1}))]
    plan += [
        AddTask(TaskSpec(f"t{n}", "double", {"number": {"$from": f"t{n - 1}"}}))
        for n in range(1, 6)
    ]

    def coordinator() -> Orchestrator:
        return Orchestrator(broker.transport("coordinator"), journal=SqliteJournal(journal))

    async with Agent("laptop", [double], transport=broker.transport("laptop")):
        async with coordinator() as first:
            run = await first.submit("double it", plan=EditBatch(0, tuple(plan)))
            async for event in run.events():
                print(event.seq, type(event.fact).__name__, getattr(event.fact, "task", ""))
                if getattr(event.fact, "task", "") == "t3":
                    break
        print("the coordinator is gone, and back")
        async with coordinator() as second:
            run = second.run(run.id)
            async for later in run.events(after=event.seq):
                print(later.seq, type(later.fact).__name__, getattr(later.fact, "task", ""))
            print((await run.result()).outputs)


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder) / "journal.db"))
