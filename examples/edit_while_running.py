"""A graph that changes while it runs: edits are atomic, and refused if they came too late."""

import asyncio

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import AddTask, EditBatch, EditRefusedError, Orchestrator, SetArgs, TaskSpec
from protocol.transport.memory import MemoryBroker

baked = asyncio.Event()


@skill
async def bake(dish: str) -> str:
    """Bake something, until it is done."""
    await baked.wait()
    return f"a warm {dish}"


@skill
async def serve(dish: str, sauce: str = "nothing") -> str:
    """Serve a dish."""
    return f"{dish} with {sauce}"


async def main() -> None:
    """Add a task below one that runs; then try to change the one that runs."""
    broker = MemoryBroker()
    kitchen = Agent("kitchen", [bake, serve], transport=broker.transport("kitchen"))
    async with Orchestrator(broker.transport("coordinator")) as orchestrator, kitchen:
        pie = AddTask(TaskSpec("pie", "bake", {"dish": "pie"}))
        run = await orchestrator.submit("bake a pie", plan=EditBatch(0, (pie,)))
        seen = run.snapshot().revision
        plate = TaskSpec("plate", "serve", {"dish": {"$from": "pie"}, "sauce": "cream"})
        await run.edit(EditBatch(seen, (AddTask(plate),)), by="the guest")
        async for event in run.events():
            if type(event.fact).__name__ == "AttemptStarted" and event.fact.task == "pie":
                try:
                    await run.edit(EditBatch(seen, (SetArgs("pie", {"dish": "cake"}),)))
                except EditRefusedError as refused:
                    print("refused:", refused)
                baked.set()
        print((await run.result()).outputs)


asyncio.run(main())
