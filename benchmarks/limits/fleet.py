"""One fleet of 1,000 devices with 10,000 running tasks: real agents around a broker in memory.

Everything is in one process on the virtual clock. Each task takes half a minute there, so that
every device beats many times while all of its slots are taken.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

from agents.runtime import Agent
from agents.simulated import Script, scripted
from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.limits.turns import TimedLoop
from benchmarks.overhead.plans import SKILL, plan
from benchmarks.overhead.processes import first_line, say
from orchestrator import Orchestrator
from orchestrator.collection import rare_full_collections
from orchestrator.core.lifecycle import AttemptState
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId

DEVICES: Final = 1_000
SLOTS: Final = 10
TASK_S: Final = 30.0
LOOK_S: Final = 20.0  # after the submission: every task has started, and none is over


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure `limits.devices` and `limits.running` in a process of its own."""
    yield Progress(0.0, f"a fleet of {DEVICES:,} devices")
    settings = {"devices": DEVICES, "slots": SLOTS, "seed": options.seed}
    async with first_line("benchmarks.limits.fleet", settings) as line:
        found = json.loads(line)
    yield Row({"part": "fleet", **found})
    yield Figures({"limits.devices": found["devices"], "limits.running": found["running"]})


async def crowded(devices: int, slots: int) -> dict[str, float]:
    """Fill every slot of a fleet, and see the run through."""
    broker = MemoryBroker()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TimedLoop)
    async with AsyncExitStack() as stack:
        orchestrator = Orchestrator(broker.transport("coordinator"))
        await stack.enter_async_context(orchestrator)
        for number in range(devices):
            card = DeviceCard(DeviceId(f"d{number}"), slots=slots)
            skills = [scripted(SKILL, Script(duration_s=TASK_S))]
            agent = Agent(card, skills, transport=broker.transport(card.device))
            await stack.enter_async_context(agent)
        await asyncio.sleep(1.0)
        loop.pauses_ms()
        run = await orchestrator.submit("nothing", plan=plan("independent", devices * slots))
        await asyncio.sleep(LOOK_S)
        attempts = orchestrator.coordinator.engine.state.attempts.values()
        running = sum(attempt.state is AttemptState.STARTED for attempt in attempts)
        online = sum(device.online for device in orchestrator.devices())
        result = await run.result()
        longest_ms, p99_ms = loop.pauses_ms()
    assert result.succeeded, result.reason
    return {
        "devices": online,
        "running": running,
        "pause_ms": longest_ms,
        "pause_p99_ms": p99_ms,
    }


def main(settings: str) -> None:
    """Play the role: say what was found."""
    given = json.loads(settings)
    with rare_full_collections(), asyncio.Runner(loop_factory=TimedLoop) as runner:
        say(json.dumps(runner.run(crowded(given["devices"], given["slots"]))))


if __name__ == "__main__":
    main(sys.argv[1])
