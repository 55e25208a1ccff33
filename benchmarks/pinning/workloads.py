"""What the runs of a workload do: turns on the device, and gaps while the graph works elsewhere.

Every number of a run is drawn from (seed, workload, run), whatever the policy: common random
numbers. Durations are log-normal; medians in seconds, from what such agents are known to do:
tools of coding agents answer within a second, tests take some; people take a minute.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from statistics import NormalDist
from typing import Final, NamedTuple

KIND: Final = "warm"
_NORMAL: Final = NormalDist()


class Wait(NamedTuple):
    """One thing that the graph may wait for between two turns."""

    share: float
    skill: str
    device_class: str
    median_s: float
    sigma: float

    def gap_s(self, normal: float) -> float:
        """Return the gap that belongs to a standard normal number."""
        return self.median_s * exp(self.sigma * normal)

    def returned(self, time_s: float) -> float:
        """Return `F`: the share of gaps that are over by then."""
        return _NORMAL.cdf(log(time_s / self.median_s) / self.sigma) if time_s > 0.0 else 0.0

    def held_s(self, lease_s: float) -> float:
        """Return `H`: the mean of a gap, cut at the lease."""
        if lease_s <= 0.0:
            return 0.0
        below = _NORMAL.cdf(log(lease_s / self.median_s) / self.sigma - self.sigma)
        mean_s = self.median_s * exp(self.sigma**2 / 2.0)
        return mean_s * below + lease_s * (1.0 - self.returned(lease_s))


@dataclass(frozen=True, slots=True)
class Workload:
    """A family of runs."""

    name: str
    turns: tuple[int, int]
    work_s: float
    work_sigma: float
    reload_s: float
    waits: tuple[Wait, ...]


class Turn(NamedTuple):
    """Work on the device, then what is waited for before the next turn, and how long."""

    work_s: float
    wait: Wait
    gap_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it arrives, in units of the mean time between arrivals, and its turns."""

    arrival: float
    turns: tuple[Turn, ...]


WORKLOADS: Final[Mapping[str, Workload]] = {
    each.name: each
    for each in (
        Workload(
            "swe",
            turns=(10, 60),
            work_s=2.0,
            work_sigma=0.5,
            reload_s=2.5,
            waits=(
                Wait(0.55, "edit", "edge", 0.3, 0.7),
                Wait(0.30, "shell", "edge", 1.0, 1.0),
                Wait(0.15, "test", "edge", 12.0, 0.8),
            ),
        ),
        Workload(
            "bfcl",
            turns=(2, 8),
            work_s=1.0,
            work_sigma=0.5,
            reload_s=1.2,
            waits=(
                Wait(0.70, "call", "edge", 0.4, 0.6),
                Wait(0.30, "search", "edge", 1.8, 0.6),
            ),
        ),
        Workload(
            "crossdevice",
            turns=(4, 16),
            work_s=3.0,
            work_sigma=0.6,
            reload_s=8.0,
            waits=(
                Wait(0.30, "read", "edge", 1.0, 0.7),
                Wait(0.20, "read", "phone", 6.0, 0.8),
                Wait(0.15, "measure", "edge", 2.0, 0.7),
                Wait(0.15, "measure", "lab", 60.0, 0.6),
                Wait(0.08, "approve", "phone", 5.0, 0.8),
                Wait(0.12, "approve", "human", 60.0, 1.2),
            ),
        ),
    )
}


def draw(workload: Workload, seed: int, runs: int) -> Sequence[Run]:
    """Draw the first `runs` runs of a seed, in the order of their arrivals."""
    arrival = 0.0
    drawn = []
    for number in range(runs):
        chance = random.Random(f"{seed}|{workload.name}|{number}")
        arrival += chance.expovariate(1.0)
        turns = tuple(_turn(workload, chance) for _ in range(chance.randint(*workload.turns)))
        drawn.append(Run(arrival, turns))
    return drawn


def _turn(workload: Workload, chance: random.Random) -> Turn:
    weights = [wait.share for wait in workload.waits]
    (wait,) = chance.choices(workload.waits, weights)
    work_s = workload.work_s * exp(chance.gauss(0.0, workload.work_sigma))
    return Turn(work_s, wait, wait.gap_s(chance.gauss(0.0, 1.0)))


def evened(runs: Sequence[Run]) -> Sequence[Run]:
    """Return the runs with the gaps of each wait in the same order, but spread evenly.

    The n gaps of a wait become the n quantiles of its distribution (stratified sampling), so that
    what differs between seeds is when a gap comes, and not whether there are more long ones.
    """
    places = defaultdict[Wait, list[tuple[float, int, int]]](list)
    for number, run in enumerate(runs):
        for turn, each in enumerate(run.turns[:-1]):
            places[each.wait].append((each.gap_s, number, turn))
    turns = [list(run.turns) for run in runs]
    for wait, drawn in places.items():
        for rank, (_, number, turn) in enumerate(sorted(drawn)):
            gap_s = wait.gap_s(_NORMAL.inv_cdf((rank + 0.5) / len(drawn)))
            turns[number][turn] = turns[number][turn]._replace(gap_s=gap_s)
    return [replace(run, turns=tuple(new)) for run, new in zip(runs, turns, strict=True)]
