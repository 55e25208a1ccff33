"""The demo in one process, where there is no broker: kills are crashes of simulated devices."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from agents import builtin, config
from agents.simulated import SimulatedDevice
from benchmarks.demo import roll_call
from benchmarks.demo.scenario import AWAY_S, RESTART_S, Tell
from benchmarks.demo.timeline import COORDINATOR
from orchestrator import Orchestrator
from orchestrator.journal import Entry, SqliteJournal
from orchestrator.planner.playbook import PlaybookPlanner
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, RunId


class OneProcess:
    """A broker in memory, the devices around it, and one coordinator after the other.

    Args:
        devices: device → its configuration file.
        journal: the file that one coordinator leaves to the next.
        tell: is told who comes back.
    """

    def __init__(self, devices: Mapping[str, Path], journal: Path, tell: Tell) -> None:
        self._broker = MemoryBroker()
        self._devices = {name: self._device(path) for name, path in devices.items()}
        self._journal = journal
        self._tell = tell
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._running = [
            self._group.create_task(device.run(), name=name)
            for name, device in self._devices.items()
        ]
        await self._start_coordinator()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._life.aclose()
        for task in self._running:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    async def submit(self, request: str) -> RunId:
        """See `Stage`."""
        watcher = self._broker.transport("muster/default/roll-call")
        await roll_call.complete(watcher, self._devices)
        return (await self._orchestrator.submit(request)).id

    def events(self, run: RunId, after: int) -> AsyncIterator[Entry]:
        """See `Stage`."""
        return self._orchestrator.run(run).events(after)

    async def kill(self, who: str) -> None:
        """See `Stage`."""
        if who in self._devices:
            self._devices[who].crash()
            return
        await self._life.aclose()
        await asyncio.sleep(RESTART_S)
        await self._start_coordinator()

    def _device(self, path: Path) -> SimulatedDevice:
        settings = config.read(path)
        device = settings.device
        card = DeviceCard(DeviceId(device.id), labels=device.labels, slots=device.slots)
        connect = partial(self._broker.transport, f"{device.org}/{device.unit}/{device.id}")
        skills = builtin.load(settings).values()
        return SimulatedDevice(card, skills, connect=connect, down_s=AWAY_S)

    async def _start_coordinator(self) -> None:
        """Start one that knows what the journal says, and nothing else."""
        transport = self._broker.transport(f"muster/default/{COORDINATOR}")
        journal = SqliteJournal(self._journal)
        planner = PlaybookPlanner()
        self._orchestrator = await self._life.enter_async_context(
            Orchestrator(transport, journal=journal, planner=planner)
        )
