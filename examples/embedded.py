"""One request, one device, one program: no broker is needed."""

import asyncio

from agents import Agent, skill
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker


@skill
async def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


async def main() -> None:
    """Let one greeting follow from the other."""
    hello = AddTask(TaskSpec("hello", "greet", {"name": "Ada"}))
    again = AddTask(TaskSpec("again", "greet", {"name": {"$from": "hello"}}))
    broker = MemoryBroker()
    laptop = Agent("laptop", [greet], transport=broker.transport("laptop"))
    async with Orchestrator(broker.transport("coordinator")) as orchestrator, laptop:
        run = await orchestrator.submit("greet Ada", plan=EditBatch(0, (hello, again)))
        async for event in run.events():
            print(event.seq, type(event.fact).__name__)
        print((await run.result()).outputs)


asyncio.run(main())
