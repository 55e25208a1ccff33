"""The stage in one process: the same devices around a broker in memory, kills are crashes.

On a virtual clock (`benchmarks.virtual_clock`) the waiting of emulated hardware takes no time; the
real work of the skills does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from agents import config
from agents.simulated import SimulatedDevice
from benchmarks.crossdevice import fleet, skills
from benchmarks.crossdevice.device import card
from benchmarks.crossdevice.hardware import Hardware
from benchmarks.crossdevice.meter import Meter, listening
from benchmarks.crossdevice.pages import serving
from benchmarks.crossdevice.planning import SuitePlanner
from benchmarks.crossdevice.presence import Presence
from benchmarks.crossdevice.stage import BROKER, COORDINATOR, CommonStage
from benchmarks.frame import BenchmarkError
from orchestrator import Orchestrator
from orchestrator.core.model import Now, RunLimits
from orchestrator.core.tuning import Tuning
from orchestrator.journal import SqliteJournal
from orchestrator.service.documents import Event, of_entry
from protocol.transport.faults import FaultyTransport
from protocol.transport.memory import MemoryBroker
from protocol.types import Json, RunId, TaskId

LEASE_S: Final = 10.0
EPOCH: Final = 1_800_000_000.0  # the wall time at which the loop's clock begins


@asynccontextmanager
async def in_memory(root: Path, playbooks: Path, model: str = "") -> AsyncIterator["InMemory"]:
    """Start the devices around a broker in memory, and a coordinator; see `processes`.

    Raises:
        BenchmarkError: a model is to plan, which takes a network.
    """
    if model:
        raise BenchmarkError("a model plans by --stage processes only")
    async with AsyncExitStack() as stack:
        pages = stack.enter_context(serving())
        fleet.configure(root, list(fleet.FLEET), port=1, web_port=pages.port)
        broker = MemoryBroker()
        devices = {name: _Device(root, name, broker) for name in fleet.FLEET}
        group = await stack.enter_async_context(asyncio.TaskGroup())
        roll = await stack.enter_async_context(
            listening(broker.transport("roll call"), Presence())
        )
        for each in devices.values():
            each.live(group)
            stack.callback(each.die)
        life = await stack.enter_async_context(AsyncExitStack())
        meter = await stack.enter_async_context(listening(broker.transport("meter"), Meter()))
        stage = InMemory(root, playbooks, pages, meter, broker, devices, roll, group, life)
        await stage.start_coordinator()
        await roll.present(fleet.FLEET)
        yield stage


def _clock() -> Now:
    """Return the loop's time, virtual where that is, as both clocks of the coordinator."""
    now = asyncio.get_running_loop().time()
    return Now(EPOCH + now, now)


class _Device:
    """One device over all of its lives."""

    def __init__(self, root: Path, name: str, broker: MemoryBroker) -> None:
        settings = config.read(fleet.config_of(root, name))
        profile = fleet.FLEET[name].hardware
        hardware = Hardware(profile, fleet.control_of(root, name))
        self.network: FaultyTransport | None = None
        self.off = False

        def connect() -> FaultyTransport:
            self.network = FaultyTransport(broker.transport(name), profile.network, seed=name)
            self.network.partitioned = self.off
            return self.network

        self._name = name
        self._device = SimulatedDevice(
            card(settings),
            skills.of(settings, hardware),
            connect=connect,
            resources=skills.resources(settings),
        )
        self._life: asyncio.Task[None] | None = None

    def live(self, group: asyncio.TaskGroup) -> None:
        """Start, if it does not run."""
        if self._life is None:
            self._life = group.create_task(self._device.run(), name=self._name)

    def die(self) -> None:
        """End without a word."""
        if self._life is not None:
            self._device.crash()
            self._life.cancel()
            self._life = None

    def cut(self, *, off: bool) -> None:
        """Leave the network, or come back to it."""
        self.off = off
        if self.network is not None:
            self.network.partitioned = off


@dataclass(eq=False)
class InMemory(CommonStage):
    """A `Stage`."""

    broker: MemoryBroker
    devices: Mapping[str, _Device]
    roll: Presence
    group: asyncio.TaskGroup
    life: AsyncExitStack
    _there: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _waiting: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    kind = "memory"

    async def start_coordinator(self) -> None:
        """Start one that knows what the journal says, and nothing else."""
        journal = SqliteJournal(self.root / "journal.db")
        planner = SuitePlanner([self.playbooks])
        self._orchestrator = await self.life.enter_async_context(
            Orchestrator(
                self.broker.transport(COORDINATOR),
                journal=journal,
                planner=planner,
                tuning=Tuning(lease_s=LEASE_S),
                clock=_clock,
            )
        )
        planner.orchestrator = self._orchestrator
        self._there.set()

    async def submit(
        self, request: str, parameters: Mapping[str, Json], *, deadline_s: float
    ) -> RunId:
        """See `Stage`."""
        limits = RunLimits(deadline_s=deadline_s)
        run = await self._orchestrator.submit(request, parameters=parameters, limits=limits)
        return run.id

    async def events(self, run: RunId) -> AsyncIterator[Event]:
        """See `Stage`."""
        after = 0
        while True:
            await self._there.wait()
            life = self._orchestrator
            async for entry in life.run(run).events(after):
                after = entry.seq
                yield of_entry(entry)
                if life is not self._orchestrator or not self._there.is_set():
                    break
            else:
                return

    async def answer(self, run: RunId, task: str, value: Json) -> None:
        """See `Stage`."""
        await self._there.wait()
        await self._orchestrator.run(run).answer(TaskId(task), value)

    async def kill(self, who: str, *, away_s: float | None) -> None:
        """See `Stage`."""
        if who == BROKER:
            self.broker.stop()
            await asyncio.sleep(away_s or 0.0)
            self.broker.start()
        elif who == COORDINATOR:
            self._there.clear()
            await self.life.aclose()
            await asyncio.sleep(away_s or 0.0)
            await self.start_coordinator()
        else:
            self.devices[who].die()
            self.roll.online.discard(who)  # it has to say again that it is there
            if away_s is not None:
                self._later(away_s, partial(self.devices[who].live, self.group))

    async def cut(self, device: str, *, for_s: float) -> None:
        """See `Stage`."""
        self.devices[device].cut(off=True)
        self._later(for_s, partial(self.devices[device].cut, off=False))

    def _later(self, after_s: float, do: Callable[[], None]) -> None:
        """Do something later, if the play lasts so long."""

        async def wait() -> None:
            await asyncio.sleep(after_s)
            do()

        waiting = self.group.create_task(wait(), name="later")
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)

    def wall(self) -> float:
        """See `Stage`."""
        return _clock().wall

    async def mend(self) -> None:
        """See `Stage`."""
        for waiting in self._waiting:  # else it would end a fault of the next play
            waiting.cancel()
        for each in self.devices.values():
            each.cut(off=False)
            each.live(self.group)
        await self.roll.present(fleet.FLEET)
