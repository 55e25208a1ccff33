"""Devices for benchmarks, simulations and tests: the real agent with skills that play a script.

Time passes on the loop's clock, which a test may replace. Chance is a hash of (seed, skill,
attempt), so the same attempt behaves the same in every order of events.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.actions import Change, Row
from agents.ledger import Done, Ledger, MemoryLedger
from agents.runtime import Agent
from agents.skills import Context, PermanentError, Reconcile, Skill, Skills, TemporaryError
from agents.warm.adapters import ResourceKind
from protocol.transport import Message, Peer, Transport
from protocol.types import DeviceCard, Effect, Json, SkillInfo


@dataclass(frozen=True, slots=True)
class Script:
    """How a scripted skill behaves. The shares are of its attempts, 0 to 1, in sum at most 1."""

    duration_s: float = 0.0
    """Overridden by the argument `seconds`."""
    output: Json = None
    transient: float = 0.0
    """Fail in a way that is worth a retry, after the duration."""
    permanent: float = 0.0
    """Fail for good, after the duration."""
    wrong: float = 0.0
    """Return what the output schema forbids."""
    stall: float = 0.0
    """Never come back."""


def scripted(
    name: str,
    script: Script | None = None,
    *,
    effect: Effect = Effect.PURE,
    seed: int = 0,
    info: SkillInfo | None = None,
    reconcile: Reconcile | None = None,
) -> Skill:
    """Make a skill that plays a script.

    Args:
        name: what plans call it.
        script: how it behaves; by default it does nothing, at once.
        effect: what running it twice would do.
        seed: of the chance in the script.
        info: what the card says of it, instead of `name` and `effect` alone.
        reconcile: looks up what came of a `once` attempt that was cut off.
    """
    script = script or Script()
    bounds = (script.transient, script.permanent, script.wrong, script.stall)
    chancy = any(bounds)

    async def call(context: Context, args: Mapping[str, Json]) -> Json:
        seconds = args.get("seconds", script.duration_s)
        if isinstance(seconds, int | float) and seconds > 0:
            await asyncio.sleep(seconds)
        return await _misbehave(chance(seed, name, context.attempt)) if chancy else script.output

    async def _misbehave(draw: float) -> Json:
        for kind, share in enumerate(bounds):
            if draw < share:
                return await _faults[kind]()
            draw -= share
        return script.output

    info = info or SkillInfo(name, effect=effect, estimate_s=script.duration_s or None)
    return Skill(info, call, reconcile)


def chance(seed: int, *of: str) -> float:
    """Draw a number in [0, 1) that depends on nothing but the arguments."""
    text = "\0".join((str(seed), *of)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / 2**56


async def _transient() -> Json:
    raise TemporaryError("scripted: worth another try")


async def _permanent() -> Json:
    raise PermanentError("scripted: fails for good")


async def _wrong() -> Json:
    return {"scripted": "this misses the output schema"}


async def _stall() -> Json:
    await asyncio.Event().wait()
    return None


_faults = (_transient, _permanent, _wrong, _stall)


@dataclass(frozen=True, slots=True)
class SimulatedHandle:
    """What a simulated load made."""

    key: str
    number: int
    """How many loads there were before."""
    over: asyncio.Event
    """Set when it has died."""


class SimulatedAdapter:
    """Resources whose loads take time on the loop's clock, and nothing else.

    Args:
        load_s: what a load takes.
        evict_s: what letting go takes.
        sizes: what a key takes up; what was expected, where it is not in there.
        transient: share of the loads that fail in a way that is worth a retry.
        permanent: share of the loads that fail for good.
        seed: of the chance in that.
    """

    def __init__(
        self,
        load_s: float = 0.0,
        *,
        evict_s: float = 0.0,
        sizes: Mapping[str, float] | None = None,
        transient: float = 0.0,
        permanent: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.handles: list[SimulatedHandle] = []
        """What is loaded now."""
        self.loads = 0
        """How many began so far."""
        self._load_s = load_s
        self._evict_s = evict_s
        self._sizes = sizes or {}
        self._bounds = (transient, permanent)
        self._seed = seed

    async def load(self, key: str) -> SimulatedHandle:
        """See `Adapter`."""
        number, self.loads = self.loads, self.loads + 1
        await asyncio.sleep(self._load_s)
        draw = chance(self._seed, "load", key, str(number))
        for fault, share in zip(_faults, self._bounds, strict=False):
            if draw < share:
                await fault()
            draw -= share
        handle = SimulatedHandle(key, number, asyncio.Event())
        self.handles.append(handle)
        return handle

    async def evict(self, handle: SimulatedHandle) -> None:
        """See `Adapter`."""
        self.handles.remove(handle)
        await asyncio.sleep(self._evict_s)

    def size(self, handle: SimulatedHandle) -> float | None:
        """See `Adapter`."""
        return self._sizes.get(handle.key)

    async def alive(self, handle: SimulatedHandle) -> str:
        """See `Watched`."""
        await handle.over.wait()
        return "scripted"


class SimulatedDevice:
    """A device whose process can be killed at any moment, and comes back with its ledger.

    Args:
        card: the device.
        skills: what it can do.
        connect: makes the connection of each life.
        resources: what it can keep warm; gone with each life.
        ledger: outlives the lives.
        down_s: between a crash and the next start.
        clock: its elapsed clock; the loop's if left out.
    """

    def __init__(
        self,
        card: DeviceCard | str,
        skills: Iterable[Skill],
        *,
        connect: Callable[[], Transport],
        resources: Mapping[str, ResourceKind] | None = None,
        ledger: Ledger | None = None,
        down_s: float = 1.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.ledger = ledger or MemoryLedger()
        self._card = card
        self._skills = Skills(skills)
        self._resources = resources
        self._connect = connect
        self._down_s = down_s
        self._clock = clock
        self._life: _Life | None = None

    async def run(self) -> None:
        """Live, and live again, until cancelled; that is a clean stop."""
        while True:
            life = self._life = _Life(self._connect(), self.ledger)
            agent = Agent(
                self._card,
                self._skills,
                transport=life,
                ledger=life,
                resources=self._resources,
                clock=self._clock,
            )
            async with agent:
                await life.over.wait()
            await asyncio.sleep(self._down_s)

    def crash(self) -> None:
        """Kill the process, as `kill -9` does: from now on nothing of it gets out."""
        if self._life:
            self._life.over.set()


class _Life:
    """The transport and the ledger of one life; when it is over, both are out of reach."""

    def __init__(self, transport: Transport, ledger: Ledger) -> None:
        self.over = asyncio.Event()
        self.incarnation = ledger.incarnation
        self._transport = transport
        self._ledger = ledger

    async def run(self, peer: Peer) -> None:
        await self._transport.run(peer)

    def publish(self, message: Message) -> None:
        if not self.over.is_set():
            self._transport.publish(message)

    async def flush(self) -> None:
        if not self.over.is_set():
            await self._transport.flush()

    def rows(self) -> Sequence[Row]:
        return self._ledger.rows()

    def write(self, changes: Sequence[Change], done: Done) -> None:
        if self.over.is_set():
            done(None)
        else:
            self._ledger.write(changes, done)

    def close(self) -> None:
        self._ledger.close()
