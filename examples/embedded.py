"""One request, two devices, one process: no broker is needed."""

import asyncio

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker


@skill
async def count(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


async def main() -> None:
    """Count on whichever device is free, then count the count."""
    broker = MemoryBroker()
    first = TaskSpec("first", "count", {"text": "one request, many devices"})
    second = TaskSpec("second", "count", {"text": {"$from": "first"}})
    async with (
        Orchestrator(broker.transport("coordinator")) as orchestrator,
        Agent("laptop", [count], transport=broker.transport("laptop")),
    ):
        run = await orchestrator.submit("count", plan=EditBatch(0, (AddTask(first),)))
        async for event in run.events():
            print(event.fact)
        print(await run.result())


asyncio.run(main())
