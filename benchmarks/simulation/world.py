"""A world: the whole system, what befalls it, and how it comes through."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from benchmarks.simulation import faults, lies
from benchmarks.simulation.coordinators import Coordinators
from benchmarks.simulation.coverage import AFTERMATH_S, Coverage
from benchmarks.simulation.fleet import WorldDevice
from benchmarks.simulation.kinds import COSTS_SUCCESS, Fault, Kind
from benchmarks.simulation.link import Access
from benchmarks.simulation.oracle import (
    ViolationError,
    Witness,
    assert_effects,
    assert_folded,
    assert_room,
    demands,
    kept,
)
from benchmarks.simulation.party import Party, WorldLoop
from benchmarks.simulation.people import People
from benchmarks.simulation.record import Record, WorldJournal
from benchmarks.simulation.report import Report, sentence
from benchmarks.simulation.setting import MIN_FAULTS, Setting, draw
from benchmarks.simulation.store import Store
from benchmarks.simulation.trace import fact_line, message_line
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.errors import InvariantError
from orchestrator.core.lifecycle import FINAL
from orchestrator.journal import Entry
from protocol.errors import TransportError
from protocol.transport.faults import NetworkFault
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceId, RunId

WITHIN_S: Final = 7200.0  # a run of 25 tasks in a row, each at its limits, ends sooner
CALM_S: Final = 240.0  # longest stall and clock jump, a lease, and a dozen repeats
LOOK_S: Final = 2.0
Trace = Callable[[float, str, str], None]


class _OverError(Exception):
    """The world has been judged: whatever still goes on in it is cancelled."""


class HungError(KeyboardInterrupt):
    """A callback does not come back; raised from outside, past everything that catches errors."""


def live(seed: int, *, trace: Trace | None = None) -> Report:
    """Let a world live, and judge it. The same seed gives the same world."""
    world = World(draw(seed), trace)
    violation = ""
    try:
        with asyncio.Runner(loop_factory=WorldLoop) as runner:
            runner.run(world.live())
    except HungError:
        violation = f"it hung: {world.last_words()}"
    except Exception as error:  # noqa: BLE001 - whatever a world raises is what it came to
        violation = sentence(error)
    return world.report(violation)


class World:
    """Everything in it; see `setting` for what the seed decides beforehand."""

    def __init__(self, setting: Setting, trace: Trace | None) -> None:
        self.setting = setting
        self.store = Store()
        self.faults: list[Fault] = []
        self.coverage = Coverage()
        self._trace = trace
        self._broker = MemoryBroker(reconnect_s=0.3)
        self._record = Record()
        self._record.decided = self._decided
        self._record.durable = self._durable
        self._witness = Witness()
        self._ended: dict[RunId, asyncio.Event] = {}
        self._chance = random.Random(f"{setting.seed}/storm")
        self._wrong: Exception | None = None
        self._succeeded = self._demanded = self._now = 0.0
        self.devices: dict[str, WorldDevice] = {}
        self._join()

    def _join(self) -> None:
        setting = self.setting
        for card, down_s in zip(setting.cards, setting.down_s, strict=True):
            access = self._connect(Party(card.device), f"muster/default/{card.device}")
            self.devices[card.device] = WorldDevice(
                card,
                access,
                store=self.store,
                seed=setting.seed,
                down_s=down_s,
                told=self._met,
                say=self._say,
            )

    # Life

    async def live(self) -> None:
        """Live until calm."""
        asyncio.get_running_loop().set_exception_handler(self._raised)
        try:
            async with asyncio.TaskGroup() as group:
                self._populate(group)
                try:
                    await self._live(group)
                finally:
                    self._end_all()
        except* _OverError:
            pass

    def _populate(self, group: asyncio.TaskGroup) -> None:
        seed = self.setting.seed
        self.coordinators = Coordinators(
            group,
            connect=self._connect,
            record=self._record,
            planner=self.setting.planner(),
            policy=self.setting.policy,
            chance=random.Random(f"{seed}/lives"),
            told=self._met,
        )
        self._people = People(
            group, self.coordinators, store=self.store, chance=random.Random(f"{seed}/people")
        )
        group.create_task(self.coordinators.keep())
        for device in self.devices.values():
            group.create_task(device.process.run(), context=device.party.context.copy())

    def _end_all(self) -> None:
        """Stop everything in its tracks: what is left of the world need not be tidy."""
        self._calm()
        for life in self.coordinators.lives:
            life.crash()
        for device in self.devices.values():
            device.crash(disk_lost=False)

    async def _live(self, group: asyncio.TaskGroup) -> None:
        """Live until calm, and be judged.

        Raises:
            ViolationError: something happened that must not.
            _OverError: nothing did.
        """
        storm = group.create_task(self._storm(group))
        number = 0
        while number == 0 or self._fired() < MIN_FAULTS:
            await self._run(group, number)
            number += 1
        storm.cancel()
        self._calm()
        await self._rest()
        await self._judge(number)
        raise _OverError

    async def _run(self, group: asyncio.TaskGroup, number: int) -> None:
        """Submit a request and wait for its end."""
        setting = self.setting
        run, seed = RunId(f"run{number}"), setting.seed + number
        plan = None if setting.planned else setting.batch(number)
        limits = setting.run_limits()
        self._ended[run] = asyncio.Event()
        await self.coordinators.tell(
            e.Submit(run, f"key{number}", "x", limits=limits, seed=seed, plan=plan)
        )
        steering = group.create_task(self._people.steer(run)) if setting.steered else None
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._ended[run].wait()
        except TimeoutError:
            raise ViolationError(f"I10: {run} has not ended: {self._state(run)}") from None
        finally:
            if steering is not None:
                steering.cancel()
        if self._wrong is not None:
            raise self._wrong

    async def _storm(self, group: asyncio.TaskGroup) -> None:
        """Let things happen: for a while, and until enough have."""
        setting, chance, loop = self.setting, self._chance, asyncio.get_running_loop()
        while loop.time() < setting.storm_s or self._fired() < MIN_FAULTS:
            await asyncio.sleep(chance.expovariate(1.0 / setting.gap_s))
            kind = chance.choice(setting.kinds)
            fault = faults.draw(chance, kind, at=loop.time(), devices=[*self.devices])
            self.faults.append(fault)
            self._say("world", f"begins: {fault}")
            faults.TABLE[kind].begin(self, fault)
            if fault.lasts_s:
                group.create_task(self._end_later(fault))
            else:
                self._end(fault)

    async def _end_later(self, fault: Fault) -> None:
        await asyncio.sleep(fault.lasts_s)
        self._end(fault)

    def _end(self, fault: Fault) -> None:
        if not fault.over:
            faults.TABLE[fault.kind].end(self, fault)
            fault.over = True
            self._say("world", f"ends: {fault}, met {fault.hits} times")

    def _calm(self) -> None:
        for fault in self.faults:
            self._end(fault)

    async def _rest(self) -> None:
        """Wait until nothing is charged or kept any more."""
        loop = asyncio.get_running_loop()
        began, left = loop.time(), ["nobody coordinates"]
        while left:
            if loop.time() > began + CALM_S:
                raise ViolationError(f"after {CALM_S:g} s of calm: {'; '.join(left[:5])}")
            await asyncio.sleep(LOOK_S)
            life = self.coordinators.present
            if life.ready and not life.ended:
                engine = life.orchestrator.coordinator.engine
                left = list(kept(engine, self.devices.values()))

    # Judgement

    async def _judge(self, runs: int) -> None:
        if self._wrong is not None:
            raise self._wrong
        for life in self.coordinators.lives:
            if life.failure is not None:
                raise ViolationError(f"a coordinator failed: {sentence(life.failure)}")
        life = self.coordinators.present
        engine = life.orchestrator.coordinator.engine
        engine.check()
        await life.orchestrator.coordinator.durable()  # something may have come in just now
        assert_folded(engine, await life.journal.recover())
        assert_room(self.devices.values())
        for number in range(runs):
            run = RunId(f"run{number}")
            result = await life.orchestrator.run(run).result()
            demanded = demands(self.setting, self.faults, number)
            self._succeeded += result.succeeded
            self._demanded += demanded
            if demanded and not result.succeeded:
                raise ViolationError(
                    f"{run} could have succeeded and is {result.status}: {result.reason}"
                )
            if not result.succeeded and not result.reason:
                raise ViolationError(f"{run} is {result.status} and nobody says why")
            if not {fault.kind for fault in self.faults} & COSTS_SUCCESS:
                assert_effects(self.store, engine, run)

    def last_words(self) -> str:
        """Say how far it came."""
        return f"the last fault was {self.faults[-1] if self.faults else 'none'}"

    def report(self, violation: str) -> Report:
        """Say what came of it."""
        fired: dict[Kind, int] = {}
        for fault in self.faults:
            if fault.fired:
                fired[fault.kind] = fired.get(fault.kind, 0) + 1
        return Report(
            self.setting.seed,
            violation,
            runs=len(self._ended),
            succeeded=int(self._succeeded),
            demanded=int(self._demanded),
            tasks=sum(len(self.setting.specs(n)) for n in range(len(self._ended))),
            faults=fired,
            pairs=dict(self.coverage.pairs),
            virtual_s=self._now,
        )

    def _state(self, run: RunId) -> str:
        life = self.coordinators.present
        if life.ended or run not in life.orchestrator.coordinator.engine.state.runs:
            return "nobody coordinates it"
        snapshot = life.orchestrator.run(run).snapshot()
        left = [task for task in snapshot.tasks if task.state not in FINAL]
        return "; ".join(f"{task.spec.id} is {task.state} {task.reason}" for task in left[:5])

    def _fired(self) -> int:
        return sum(fault.fired for fault in self.faults)

    # Hearing

    def _raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Take what a callback raised: nobody else hears of it."""
        error = context.get("exception")
        self._blame(
            error if isinstance(error, Exception) else ViolationError(str(context["message"]))
        )

    def _blame(self, error: Exception) -> None:
        """Remember what went wrong first, and wait for nothing any more."""
        self._wrong = self._wrong or error
        for ended in self._ended.values():
            ended.set()

    def _say(self, who: str, what: str) -> None:
        self._now = asyncio.get_running_loop().time()
        if self._trace is not None:
            self._trace(self._now, who, what)

    def _met(self, party: Party, what: NetworkFault | Kind) -> None:
        """Count that somebody met a fault."""
        kind = faults.ON_THE_WIRE[what] if isinstance(what, NetworkFault) else what
        for fault in reversed(self.faults):
            if fault.kind is kind and not fault.over and fault.party in {"", party.name}:
                fault.hits += 1
                return

    def _decided(self, journal: WorldJournal, facts: Sequence[f.Fact]) -> None:
        if not self.setting.checked or all(type(fact) in f.VOLATILE for fact in facts):
            return
        for life in self.coordinators.lives:
            if life.journal is journal:
                try:
                    life.orchestrator.coordinator.engine.check()
                except InvariantError as error:
                    self._blame(error)

    def _durable(self, entries: Sequence[Entry]) -> None:
        now = asyncio.get_running_loop().time()
        kinds = {
            fault.kind: None
            for fault in self.faults
            if fault.fired and now < fault.at + fault.lasts_s + AFTERMATH_S
        }
        for entry in entries:
            fact = entry.fact
            if self._trace is not None:
                self._say("coordinator", fact_line(fact))
            self.coverage.follow(fact, kinds)
            if self.setting.steered:
                self._people.see(fact)
            try:
                self._witness.see(fact, self.devices.values())
            except ViolationError as violation:
                self._blame(violation)
            if isinstance(fact, f.RunEnded):
                self._ended[fact.run].set()

    # What faults act on (`faults.Scene`)

    def broker(self, *, up: bool) -> int:
        """See `Scene`."""
        if up:
            self._broker.start()
            return 0
        connected = self._broker.running.is_set()
        self._broker.stop()
        return int(connected)

    def kick(self, client_id: str) -> bool:
        """See `Scene`."""
        self._broker.kill(client_id)
        return True

    def redeliver(self, client_id: str) -> bool:
        """See `Scene`."""
        with suppress(KeyError):  # it is not connected
            self._broker.redeliver(client_id)
            return True
        return False

    def lie(self, fault: Fault) -> bool:
        """See `Scene`."""
        device = self.devices[fault.party]
        link = device.access.link
        made_up = lies.lie(fault.kind, DeviceId(fault.party), self._witness.placed, self._chance)
        if link is None or not made_up:
            return False
        device.lied |= fault.kind in COSTS_SUCCESS
        with suppress(TransportError):
            for message in made_up:
                link.publish(message)
            return True
        return False

    def _connect(self, party: Party, client_id: str) -> Access:
        seed = f"{self.setting.seed}/{client_id}/{party.name}"
        access = Access(party, self._broker, client_id=client_id, seed=seed, told=self._met)
        if self._trace is not None:
            access.overheard = lambda verb, message: self._say(
                party.name, message_line(verb, message)
            )
        return access
