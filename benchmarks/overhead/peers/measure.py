"""The part of `overhead` that `--peers` asks for.

In each round every system is started afresh, warmed up, measured on the same graphs and ended
again, ours first: a slow spell of the machine meets all, and none pays for another one's idle
processes. **Rate**: the slower of both wide graphs. **Hop**: a chain, its time by its length.
Ratios are the median of the rounds' ratios of ours to theirs: `rate_ratio` above 1 and `hop_ratio`
below 1 mean that ours is ahead.
"""

import os
import statistics
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Final, TypeAlias

from benchmarks.frame import BenchmarkError, Figures, Item, Options, Progress, Row
from benchmarks.overhead.peers.ours import ours
from benchmarks.overhead.peers.session import Run, session
from benchmarks.overhead.peers.table import OURS, TABLE
from benchmarks.overhead.processes import RoleError
from protocol.types import Json

OPTION: Final = "peers"
OPTIONS: Final = {OPTION: f"measure others beside ours: {', '.join(TABLE)}; without names all"}
US: Final = "muster"
RATE_SHAPES: Final = ("independent", "layered")


@dataclass(frozen=True, slots=True)
class Effort:
    """How many rounds, and how many tasks in each graph of one."""

    rounds: int
    tasks: int
    chain: int
    warm_up: int


FULL: Final = Effort(rounds=5, tasks=2_000, chain=300, warm_up=400)
QUICK: Final = Effort(rounds=2, tasks=400, chain=50, warm_up=100)

Contender: TypeAlias = Callable[[], AbstractAsyncContextManager[Run]]


@dataclass(slots=True)
class Samples:
    """What one system came to, a value for each round."""

    tasks_per_s: list[float] = field(default_factory=list)
    hop_ms: list[float] = field(default_factory=list)


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure those that `--peers` names, or nothing without it.

    Raises:
        BenchmarkError: one of the names is unknown, or there is no mosquitto here.
    """
    if OPTION not in options.words:
        return
    contenders: dict[str, Contender] = {US: ours}
    yield Row({"part": OPTION, "peer": US, **asdict(OURS)})
    for name in asked(options.words[OPTION]):
        entry = TABLE[name]
        if missing := entry.missing():
            yield Row({"part": OPTION, "peer": name, "not_installed": list(missing)})
            continue
        yield Row({"part": OPTION, "peer": name, **entry.row()})
        contenders[name] = partial(session, entry.peer, redis=entry.redis)
    async for item in race(contenders, QUICK if options.quick else FULL):
        yield item


def asked(names: str) -> Sequence[str]:
    """Return the peers that are named, with commas between them; all if none is.

    Raises:
        BenchmarkError: there is no such peer.
    """
    chosen = [each.strip() for each in names.split(",") if each.strip()] or list(TABLE)
    if unknown := sorted(set(chosen) - TABLE.keys()):
        raise BenchmarkError(f"no peer {', '.join(unknown)}; there is {', '.join(TABLE)}")
    return chosen


async def race(contenders: Mapping[str, Contender], effort: Effort) -> AsyncIterator[Item]:
    """Measure all in turns. A peer that fails leaves with a row and no figures; ours must not."""
    samples = {name: Samples() for name in contenders}
    turns = effort.rounds * len(contenders)
    for turn in range(turns):
        number, place = divmod(turn, len(contenders))
        name = list(contenders)[place]
        if name not in samples:
            continue
        yield Progress(turn / turns, f"peers: {name}, round {number + 1} of {effort.rounds}")
        load = os.getloadavg()[0]
        try:
            values = await _turn(contenders[name], effort, samples[name])
        except RoleError as error:
            if name == US:
                raise
            del samples[name]
            values = {"failed": str(error)}
        yield Row({"part": OPTION, "peer": name, "round": number, "load": load, **values})
    for name, each in samples.items():
        yield Row({"part": OPTION, "peer": name, **_spread(each)})
    yield Figures(
        {key: value for name in samples for key, value in _figures(name, samples).items()}
    )


async def _turn(contender: Contender, effort: Effort, samples: Samples) -> dict[str, Json]:
    async with contender() as run:
        for shape in (*RATE_SHAPES, "chain"):
            await run(shape, effort.warm_up // 4)
        rates = {shape: effort.tasks / await run(shape, effort.tasks) for shape in RATE_SHAPES}
        hop_ms = await run("chain", effort.chain) / effort.chain * 1e3
    samples.tasks_per_s.append(min(rates.values()))
    samples.hop_ms.append(hop_ms)
    return {**{f"{shape}_per_s": rate for shape, rate in rates.items()}, "hop_ms": hop_ms}


def _spread(samples: Samples) -> dict[str, Json]:
    return {
        f"{name}_{word}": measure(values)
        for name, values in asdict(samples).items()
        for word, measure in (("min", min), ("median", statistics.median), ("max", max))
    }


def _figures(name: str, samples: Mapping[str, Samples]) -> dict[str, float]:
    """Return the medians of one, and of the rounds' ratios of ours to it."""
    theirs, mine = samples[name], samples[US]
    figures = {
        "tasks_per_s": statistics.median(theirs.tasks_per_s),
        "hop_ms": statistics.median(theirs.hop_ms),
    }
    if name != US:
        figures["rate_ratio"] = _ratio(mine.tasks_per_s, theirs.tasks_per_s)
        figures["hop_ratio"] = _ratio(mine.hop_ms, theirs.hop_ms)
    return {f"{OPTION}.{name}.{key}": value for key, value in figures.items()}


def _ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(my / their for my, their in zip(mine, theirs, strict=True))
