"""The devices of a world: real agents, with a disk that fills up, a brake, and bad manners."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agents.actions import AttemptRow, Change
from agents.ledger import Done, LedgerError, MemoryLedger
from agents.simulated import SimulatedAdapter, SimulatedDevice, SimulatedHandle, chance
from agents.skills import Context, PermanentError, Skill, TemporaryError
from agents.warm.adapters import ResourceKind
from benchmarks.simulation.kinds import Kind
from benchmarks.simulation.link import Access
from benchmarks.simulation.party import Party
from benchmarks.simulation.plans import MODEL
from benchmarks.simulation.store import Store
from protocol.types import DeviceCard, Effect, Incarnation, Json, SkillInfo

TRANSIENT: Final = 0.05  # share of the attempts of pure and idempotent skills that fail by chance
LIE: Final = "a lie"
LOAD_S: Final = 3.0


class WorldLedger(MemoryLedger):
    """A ledger on a disk that can be full."""

    def __init__(self, incarnation: Incarnation, told: Callable[[], None]) -> None:
        super().__init__(incarnation)
        self.full = False
        self._told = told

    def write(self, changes: Sequence[Change], done: Done) -> None:
        """See `Ledger`."""
        if self.full:
            self._told()
            done(LedgerError("the disk is full; free some space"))
        else:
            super().write(changes, done)

    def runs_once(self) -> bool:
        """Tell whether a `once` attempt is in it that has begun and not ended."""
        return any(
            isinstance(row, AttemptRow) and row.effect is Effect.ONCE and row.outcome is None
            for row in self.rows()
        )


class WorldMemory(SimulatedAdapter):
    """What one life of a device holds of a kind, and whether that is too much.

    Args:
        capacity: how many of them there is room for.
        shared: whether runs share it, so that nothing is ever there twice.
    """

    def __init__(self, capacity: float, *, shared: bool) -> None:
        super().__init__(LOAD_S)
        self.excess: list[str] = []
        self._capacity = capacity
        self._shared = shared
        self._loading: list[str] = []

    async def load(self, key: str) -> SimulatedHandle:
        """See `Adapter`."""
        there = [*self._loading, *(handle.key for handle in self.handles)]
        if len(there) >= self._capacity or (self._shared and key in there):
            self.excess.append(f"{key} is loaded beside {there}")
        self._loading.append(key)
        try:
            return await super().load(key)
        finally:
            self._loading.remove(key)


class WorldDevice:
    """One device and what is wrong with it.

    Args:
        card: what it is.
        access: its place in the network.
        store: where its skills act.
        seed: of the world.
        down_s: how long it is away after a crash.
        told: hears of each time when something here met a fault.
        say: writes a line of the trace: who, and what.
    """

    def __init__(
        self,
        card: DeviceCard,
        access: Access,
        *,
        store: Store,
        seed: int,
        down_s: float,
        told: Callable[[Party, Kind], None],
        say: Callable[[str, str], None],
    ) -> None:
        self.access = access
        self.party = access.party
        self.slow = 1.0
        """How much longer its skills take."""
        self.wrong = False
        """Its pure skills return what nobody asked for."""
        self.crashed = self.lied = False
        self._store = store
        self._seed = seed
        self._told = told
        self._say = say
        self._disks = 0
        self.excess: list[str] = []
        """Where it held more than it has room for, or anything twice."""
        self._card = card
        self.memory = dict[str, WorldMemory]()
        self._kinds = dict[str, ResourceKind]()
        self._new_memory()
        self._ledger = self._new_disk()
        self.process = SimulatedDevice(
            card,
            [
                self._skill("compute", Effect.PURE),
                self._skill("list", Effect.PURE),
                self._skill("write", Effect.IDEMPOTENT),
                self._skill("act", Effect.ONCE),
                Skill(SkillInfo("ask", effect=Effect.PURE, estimate_s=1.0), _ask),
            ],
            connect=access.connect,
            resources=self._kinds,
            ledger=self._ledger,
            down_s=down_s,
            clock=self.party.now,
        )

    @property
    def ledger(self) -> WorldLedger:
        """The present disk."""
        return self._ledger

    def crash(self, *, disk_lost: bool) -> None:
        """Kill the process, and perhaps its disk."""
        self.crashed = True
        if disk_lost:
            self._ledger = self._new_disk()
            self.process.ledger = self._ledger
        if self.access.link is not None:
            self.access.link.dead = True
        self.process.crash()
        self._new_memory()
        self.party.thaw()  # a dead process cannot be stopped

    def _new_memory(self) -> None:
        """Have the next life begin with nothing warm."""
        for kind, capacity in self._card.capacity.items():
            memory = self.memory[kind] = WorldMemory(capacity, shared=kind == MODEL)
            memory.excess = self.excess
            self._kinds[kind] = ResourceKind(memory, capacity)

    def _new_disk(self) -> WorldLedger:
        self._disks += 1
        incarnation = Incarnation(f"{self.party.name}-{self._disks}")
        return WorldLedger(incarnation, lambda: self._told(self.party, Kind.LEDGER_FULL))

    def full(self, *, on: bool) -> None:
        """Let its disk be full, or free some space."""
        self._ledger.full = on

    def _skill(self, name: str, effect: Effect) -> Skill:
        async def call(context: Context, args: Mapping[str, Json]) -> Json:
            link, luck = self.access.link, chance(self._seed, name, context.attempt)
            self._say(self.party.name, f"begins {name} {context.task} token={context.token}")
            if effect is Effect.ONCE:
                self._store.begin(context)
            seconds = args["seconds"]
            assert isinstance(seconds, float)
            if self.slow > 1.0:
                self._told(self.party, Kind.SLOW)
            await asyncio.sleep(seconds * self.slow)
            if effect is not Effect.ONCE and luck < TRANSIENT:
                raise TemporaryError("bad luck")
            if link is not None and link.dead:
                raise PermanentError("its process is gone")
            if effect is not Effect.PURE:
                context.guard()
                self._store.write(context)
            self._say(self.party.name, f"did {name} {context.task} token={context.token}")
            return self._output(name, luck)

        return Skill(SkillInfo(name, effect=effect, estimate_s=2.0), call)

    def _output(self, name: str, luck: float) -> Json:
        if self.wrong:
            self._told(self.party, Kind.WRONG_OUTPUT)
            return LIE
        return [1, 2, 3, 4][: 1 + int(luck * 4)] if name == "list" else {"n": luck}


async def _ask(context: Context, _args: Mapping[str, Json]) -> Json:
    return await context.ask("go on?")
