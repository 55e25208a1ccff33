"""A device dies at work: the task moves to another one, and the run goes on."""

import asyncio

from agents.runtime import Agent
from agents.simulated import Script, SimulatedDevice, scripted
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from orchestrator.core.tuning import Tuning
from protocol.transport.memory import MemoryBroker

QUICK = Tuning(lost_after_s=0.5, lease_s=1.0)  # so that the example does not take half a minute


async def main() -> None:
    """Crash the device that the task was placed on, and start the other."""
    broker = MemoryBroker()
    slow = scripted("compute", Script(duration_s=3600.0))
    fast = scripted("compute", Script(duration_s=0.1, output=42))
    old = SimulatedDevice("old", [slow], connect=lambda: broker.transport("old"), down_s=3600.0)
    new = Agent("new", [fast], transport=broker.transport("new"))
    async with (
        Orchestrator(broker.transport("coordinator"), tuning=QUICK) as orchestrator,
        asyncio.TaskGroup() as group,
    ):
        life = group.create_task(old.run())
        plan = EditBatch(0, (AddTask(TaskSpec("answer", "compute")),))
        run = await orchestrator.submit("compute the answer", plan=plan)
        async for event in run.events():
            print(type(event.fact).__name__, getattr(event.fact, "device", ""))
            if type(event.fact).__name__ == "AttemptStarted":
                old.crash()
                break
        async with new:
            print((await run.result()).outputs)
            for event in await run.story("answer"):
                print(type(event.fact).__name__, getattr(event.fact, "device", ""))
        life.cancel()


asyncio.run(main())
