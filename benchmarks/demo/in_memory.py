"""The demo in one process, where there is no broker: kills are crashes of simulated devices."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from agents import builtin, config
from agents.simulated import SimulatedDevice
from benchmarks.demo.scenario import AWAY_S, RESTART_S, Tell
from benchmarks.demo.timeline import COORDINATOR
from benchmarks.roll_call import RollCall, roll_call
from orchestrator import Orchestrator
from orchestrator.journal import SqliteJournal
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.service.documents import Event, of_entry
from protocol.transport.memory import MemoryBroker, MemoryTransport
from protocol.types import DeviceCard, DeviceId, RunId

SWITCH_S: Final = 0.0002
"""Several devices search files here, each in a thread, and share one interpreter with the loop."""


@asynccontextmanager
async def one_process(
    journal: Path, configs: Mapping[str, Path], *, tell: Tell
) -> AsyncIterator["OneProcess"]:
    """Start the devices around a broker in memory, and a coordinator.

    Args:
        journal: the file that one coordinator leaves to the next.
        configs: device → its configuration file.
        tell: is told who comes back.
    """
    broker = MemoryBroker()
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    devices = {name: _device(path, broker, tell) for name, path in configs.items()}
    async with asyncio.TaskGroup() as group, roll_call(broker.transport("roll call")) as roll:
        running = [group.create_task(each.run(), name=name) for name, each in devices.items()]
        try:
            async with AsyncExitStack() as life:
                stage = OneProcess(broker, journal, devices, roll, life)
                await stage.start_coordinator()
                yield stage
        finally:
            sys.setswitchinterval(usual_s)
            for task in running:
                task.cancel()


def _device(path: Path, broker: MemoryBroker, tell: Tell) -> SimulatedDevice:
    settings = config.read(path)
    device = settings.device
    lives = count(1)

    def connect() -> MemoryTransport:
        if next(lives) > 1:
            tell(device.id, "started again")
        return broker.transport(device.id)

    card = DeviceCard(DeviceId(device.id), labels=device.labels, slots=device.slots)
    skills = builtin.load(settings).values()
    return SimulatedDevice(card, skills, connect=connect, down_s=AWAY_S)


class OneProcess:
    """A `Stage`: the devices, and one coordinator after the other."""

    def __init__(
        self,
        broker: MemoryBroker,
        journal: Path,
        devices: Mapping[str, SimulatedDevice],
        roll: RollCall,
        life: AsyncExitStack,
    ) -> None:
        self._broker = broker
        self._journal = journal
        self._devices = devices
        self._roll = roll
        self._life = life

    async def start_coordinator(self) -> None:
        """Start one that knows what the journal says, and nothing else."""
        transport = self._broker.transport(COORDINATOR)
        journal = SqliteJournal(self._journal)
        self._orchestrator = await self._life.enter_async_context(
            Orchestrator(transport, journal=journal, planner=PlaybookPlanner())
        )

    async def submit(self, request: str) -> RunId:
        """See `Stage`."""
        await self._roll.present(self._devices.keys())
        return (await self._orchestrator.submit(request)).id

    async def events(self, run: RunId, after: int) -> AsyncIterator[Event]:
        """See `Stage`."""
        async for entry in self._orchestrator.run(run).events(after):
            yield of_entry(entry)

    async def kill(self, who: str) -> None:
        """See `Stage`."""
        if who in self._devices:
            self._devices[who].crash()
        else:
            await self._life.aclose()
            await asyncio.sleep(RESTART_S)
            await self.start_coordinator()
