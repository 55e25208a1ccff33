"""The fleet: devices that hold files, devices that compute, and one that publishes.

The skills really compute. What they take is virtual time, as long as they declare.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from agents.runtime import Agent
from agents.skills import BadInputError, BadOutputError, Context, PermanentError, Skill, skill
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, Effect, RunId

HOLDERS: Final = ("harbour", "quarry", "orchard", "depot", "museum", "mill")
WORKERS: Final = ("atlas", "boreas", "ceres")
BOARD: Final = "noticeboard"
SLOTS: Final = 4
SECONDS: Final[Mapping[str, float]] = {
    "read": 4.0, "refresh": 3.0, "keep": 2.0, "merge": 1.0, "total": 1.0, "largest": 1.0,
    "minus": 1.0, "raised": 1.0, "publish": 1.0, "announce": 1.0,
}  # fmt: skip
"""Skill → what it takes and declares."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file."""

    item: str
    amount: int
    seconds: int

    def number(self, column: str) -> int:
        """Return the number in a column."""
        match column:
            case "amount":
                return self.amount
            case "seconds":
                return self.seconds
            case _:
                raise BadInputError(f"there is no column of numbers {column!r}")


@dataclass(frozen=True, slots=True)
class Lines:
    """What is in a file, or is left of it."""

    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Number:
    """What a computation comes to."""

    value: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What was published."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """What had been published when somebody was told."""

    to: str
    names: list[str]


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is; `stale` is what it was until a run refreshes it, if it has to."""

    lines: tuple[Line, ...]
    stale: tuple[Line, ...] | None = None


Place: TypeAlias = tuple[DeviceId, str]
"""A device and a path."""


@dataclass
class Site:
    """What the devices hold; each run sees its own refreshes and notices only."""

    files: Mapping[Place, File]
    fresh: set[tuple[RunId, Place]] = field(default_factory=set)
    published: dict[RunId, list[str]] = field(default_factory=dict)

    def file(self, device: DeviceId, path: str) -> File:
        """Return a file that a device holds."""
        try:
            return self.files[device, path]
        except KeyError:
            raise PermanentError(f"there is no file {path!r} here") from None


@asynccontextmanager
async def fleet(broker: MemoryBroker, site: Site) -> AsyncIterator[None]:
    """Keep the devices at work."""
    async with AsyncExitStack() as stack:
        for name in (*HOLDERS, *WORKERS, BOARD):
            device = DeviceId(name)
            skills = _held(site, device) if name in HOLDERS else _COMPUTING
            skills = _publishing(site) if name == BOARD else skills
            agent = Agent(
                DeviceCard(device, slots=SLOTS), skills, transport=broker.transport(name)
            )
            await stack.enter_async_context(agent)
        yield


def _held(site: Site, device: DeviceId) -> list[Skill]:
    @skill(estimate_s=SECONDS["read"])
    async def read(context: Context, path: str) -> Lines:
        """Read a file of this device."""
        file = site.file(device, path)
        old = file.stale is not None and (context.run, (device, path)) not in site.fresh
        await asyncio.sleep(SECONDS["read"])
        return Lines(list(file.stale or () if old else file.lines))

    @skill(estimate_s=SECONDS["refresh"], effect=Effect.IDEMPOTENT)
    async def refresh(context: Context, path: str) -> str:
        """Bring a file of this device up to date."""
        await asyncio.sleep(SECONDS["refresh"])
        site.file(device, path)
        site.fresh.add((context.run, (device, path)))
        return path

    return [read, refresh]


def _publishing(site: Site) -> list[Skill]:
    @skill(estimate_s=SECONDS["publish"], effect=Effect.IDEMPOTENT)
    async def publish(
        context: Context, name: str, value: int, least: int | None = None, most: int | None = None
    ) -> Notice:
        """Publish a value under a name, if it lies where it is expected."""
        await asyncio.sleep(SECONDS["publish"])
        if (least is not None and value < least) or (most is not None and value > most):
            raise BadOutputError(f"{name!r} would be {value}, expected from {least} to {most}")
        site.published.setdefault(context.run, []).append(name)
        return Notice(name, value)

    @skill(estimate_s=SECONDS["announce"], effect=Effect.IDEMPOTENT)
    async def announce(context: Context, to: str) -> Announcement:
        """Tell somebody what has been published so far."""
        names = sorted(set(site.published.get(context.run, ())))
        await asyncio.sleep(SECONDS["announce"])
        return Announcement(to, names)

    return [publish, announce]


@skill(estimate_s=SECONDS["keep"])
async def keep(lines: list[Line], column: str, least: int, count: int | None = None) -> Lines:
    """Keep the lines that have at least so much in a column; `count` is how many to expect."""
    await asyncio.sleep(SECONDS["keep"])
    kept = [line for line in lines if line.number(column) >= least]
    if count is not None and len(kept) != count:
        raise BadOutputError(f"{len(kept)} lines are left, expected {count}")
    return Lines(kept)


@skill(estimate_s=SECONDS["merge"])
async def merge(left: list[Line], right: list[Line]) -> Lines:
    """Put lines behind others."""
    await asyncio.sleep(SECONDS["merge"])
    return Lines(left + right)


@skill(estimate_s=SECONDS["total"])
async def total(lines: list[Line], column: str) -> Number:
    """Add up a column."""
    await asyncio.sleep(SECONDS["total"])
    return Number(sum(line.number(column) for line in lines))


@skill(estimate_s=SECONDS["largest"])
async def largest(lines: list[Line], column: str) -> Number:
    """Find the largest number of a column; 0 where there is none."""
    await asyncio.sleep(SECONDS["largest"])
    return Number(max((line.number(column) for line in lines), default=0))


@skill(estimate_s=SECONDS["minus"])
async def minus(left: int, right: int) -> Number:
    """Subtract."""
    await asyncio.sleep(SECONDS["minus"])
    return Number(left - right)


@skill(estimate_s=SECONDS["raised"])
async def raised(value: int, percent: int) -> Number:
    """Raise a value by a share of it, rounded down."""
    await asyncio.sleep(SECONDS["raised"])
    return Number(value + value * percent // 100)


_COMPUTING: Final = [keep, merge, total, largest, minus, raised]
