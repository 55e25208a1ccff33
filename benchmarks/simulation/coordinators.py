"""The coordinators of a world: one life after the other, and sometimes two at once."""

import asyncio
import random
from collections.abc import Callable

from benchmarks.simulation.kinds import Kind
from benchmarks.simulation.link import Access
from benchmarks.simulation.party import Party
from benchmarks.simulation.record import Record, WorldJournal
from orchestrator.core import events as e
from orchestrator.core.errors import EditRefusedError, OrchestratorError, RequestError
from orchestrator.core.model import Now
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.tuning import Tuning
from orchestrator.improving import Here
from orchestrator.journal import JournalError
from orchestrator.library import DEFAULT_ADDRESS, Orchestrator
from orchestrator.planner import Planner
from orchestrator.run import durably

NAME = "coordinator"
EPOCH_S = 1.7e9  # wall time at the begin of a world
AGAIN_S = 0.5  # between two tries of a client
DOWN_S = (0.1, 12.0)
TUNING = Tuning(improve_cpu=1e-4)  # a few thousand tasks timed a problem: that is soon done


class Life:
    """One coordinator from its start to its end.

    Args:
        record: what it opens.
        access: its place in the network.
        planner: whom it asks.
        policy: how it places tasks.
        booted_at: when its elapsed clock was 0, in the world's seconds.
    """

    def __init__(
        self,
        record: Record,
        access: Access,
        *,
        planner: Planner,
        policy: Policy,
        booted_at: float,
    ) -> None:
        self.access = access
        self.ready = False
        self.ended = False
        self.journal = WorldJournal(record)
        self.failure: BaseException | None = None
        """Why it ended, if that was nobody's wish: a bug."""
        self._booted_at = booted_at
        self._link = access.connect()
        self._over = asyncio.Event()
        self.orchestrator = Orchestrator(
            self._link,
            planner=planner,
            journal=self.journal,
            tuning=TUNING,
            policy=policy,
            clock=self._clock,
            improver=Here(),
        )

    async def run(self) -> None:
        """Coordinate until crashed or fenced."""
        try:
            async with self.orchestrator:
                self.ready = True
                await self._over.wait()
        except* JournalError:
            if self.journal.failure is None and not self.journal.dead:
                raise
        except* Exception as error:  # noqa: BLE001 - the boundary of a process: the oracle hears of it
            if not self.journal.dead:
                self.failure = error
        finally:
            self.ended = True
            self._link.dead = True

    def crash(self) -> None:
        """Kill the process: nothing that it has not written yet is ever written."""
        self._link.dead = self.journal.dead = True
        self.access.party.thaw()  # a dead process cannot be stopped
        self._over.set()

    def _clock(self) -> Now:
        elapsed = self.access.party.now() - self._booted_at
        return Now(EPOCH_S + asyncio.get_running_loop().time(), elapsed)


class Coordinators:
    """All lives, and who keeps them coming.

    Args:
        group: where they run.
        connect: makes the place in the network of a party.
        record: what they share.
        planner: whom they ask.
        policy: how they place tasks.
        chance: how long they are away.
        told: hears of a full disk.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        *,
        connect: Callable[[Party, str], Access],
        record: Record,
        planner: Planner,
        policy: Policy,
        chance: random.Random,
        told: Callable[[Party, Kind], None],
    ) -> None:
        self.lives: list[Life] = []
        self._group = group
        self._connect = connect
        self._record = record
        self._planner = planner
        self._policy = policy
        self._chance = chance
        self._told = told
        self._changed = asyncio.Event()
        self._start(str(DEFAULT_ADDRESS))

    @property
    def present(self) -> Life:
        """The one that opened the record last."""
        return self.lives[-1]

    async def keep(self) -> None:
        """Start the next one a while after the last one has ended; until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self.present.ended:
                last = self.present
                await asyncio.sleep(self._chance.uniform(*DOWN_S))
                if self.present is last:
                    self._start(last.access.client_id, plan=last.access)

    async def tell(self, event: e.Event) -> bool:
        """Have an event durable, however often it takes; false if it was refused."""
        while True:
            life = self.present
            if life.ready and not life.ended:
                context = life.access.party.context.copy()
                said = await self._group.create_task(_say(life, event), context=context)
                if said is not None:
                    return said
            await asyncio.sleep(AGAIN_S)

    # What faults do to them

    def accesses(self) -> list[Access]:
        """Return the places in the network of all that live, or will be where one has lived."""
        return [life.access for life in self.lives if not life.ended or life is self.present]

    def crash(self) -> bool:
        """Kill the present one; false if it is away."""
        if self.present.ended:
            return False
        self.present.crash()
        return True

    def rival(self) -> bool:
        """Start another one beside the present one, with the same name or its own."""
        if self.present.ended or not self.present.ready:
            return False
        own = f"muster/default/standby{len(self.lives)}"
        self._start(self._chance.choice([own, str(DEFAULT_ADDRESS)]))
        return True

    def fill_disk(self, *, full: bool) -> None:
        """Let no write succeed, or let it again."""
        self._record.full = full

    def _start(self, client_id: str, *, plan: Access | None = None) -> None:
        party = Party(NAME)
        access = self._connect(party, client_id)
        if plan is not None:
            access.follow(plan)  # the same machine, in the same bad place
        now = asyncio.get_running_loop().time()
        life = Life(
            self._record,
            access,
            planner=self._planner,
            policy=self._policy,
            booted_at=self._chance.choice([0.0, now]),
        )
        self.lives.append(life)
        self._group.create_task(self._live(life), context=party.context.copy())

    async def _live(self, life: Life) -> None:
        try:
            await life.run()
        finally:
            if life.journal.failure is not None and self._record.full:
                self._told(life.access.party, Kind.JOURNAL_FULL)
            self._changed.set()


async def _say(life: Life, event: e.Event) -> bool | None:
    """Return whether an event was taken; None if the coordinator ended first."""
    if life.ended:
        return None
    try:
        await durably(life.orchestrator.coordinator, event)
    except (RequestError, EditRefusedError):
        return False
    except OrchestratorError:
        return None
    return True
