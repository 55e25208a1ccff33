"""Runs that ended wait to be learned from, one at a time, beside their coordinator.

The queue is bounded: what ends while it is full is not learned from. At most once: what waits when
the process dies is not either. `orchestrator.experience` does the learning, and is loaded only by
those who want it.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.coordinator import Coordinator
from protocol.background import Background
from protocol.telemetry import Level, write
from protocol.types import RunId

if TYPE_CHECKING:
    from orchestrator.experience import Experience
    from orchestrator.planner.memory import Memory

WAITING: Final = 256  # runs; learning from one takes milliseconds
SETTLE_S: Final = 5.0  # how long a coordinator that is over waits for what is yet to be learned


class Learning:
    """Has a memory, or the one in a folder, learn from the runs of a coordinator; None: nobody."""

    def __init__(self, memory: "Memory | Path | None") -> None:
        self._experience = None if memory is None else _experience(memory)
        self._waiting: asyncio.Queue[RunId] = asyncio.Queue(WAITING)

    def ended(self, run: RunId) -> None:
        """Take note of a run whose end is durable."""
        if self._experience is None:
            return
        try:
            self._waiting.put_nowait(run)
        except asyncio.QueueFull:
            reason = f"{WAITING} runs wait to be learned from"
            write(Level.WARNING, "run_not_learned", run=run, reason=reason)

    async def run(self, coordinator: Coordinator, *, ready: Callable[[], None]) -> None:
        """Run the coordinator, and learn beside it; see `Coordinator.run`."""
        if self._experience is None:
            await coordinator.run(ready=ready)
            return
        async with Background() as group:
            learning = self._learn(self._experience, coordinator)
            learner = group.create_task(learning, name="learning")
            try:
                await coordinator.run(ready=ready)
            finally:
                await self._settled()
                learner.cancel()

    async def _learn(self, experience: "Experience", coordinator: Coordinator) -> None:
        await experience.tell_damage()
        while True:
            run = await self._waiting.get()
            try:
                await experience.learn(coordinator, run)
                await experience.tell_damage()
            finally:
                self._waiting.task_done()

    async def _settled(self) -> None:
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._waiting.join()
        except TimeoutError:
            reason = f"{self._waiting.qsize()} more wait, and it took {SETTLE_S:g} s"
            write(Level.WARNING, "runs_not_learned", reason=reason)


def _experience(memory: "Memory | Path") -> "Experience":
    from orchestrator.experience import Experience  # noqa: PLC0415 - 0.1 s for those who learn

    return Experience(memory)
