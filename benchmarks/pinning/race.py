"""Every policy on the same runs: completion times, reloads and held memory, load by load."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import Final, NamedTuple

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.arms import ARMS, CONTINUUM, HINDSIGHT, HINDSIGHT_TTLS_S, Arm, fixed
from benchmarks.pinning.device import SLOTS, Device, Outcome
from benchmarks.pinning.workloads import WORKLOADS, Workload, draw

RUNS: Final[Mapping[str, int]] = {"swe": 150, "bfcl": 700, "crossdevice": 350}
"""Runs of a simulation: some 3,500 to 5,000 turns."""
SEEDS: Final = 8
QUICK_SEEDS: Final = 1
LOADS: Final = (0.6, 0.75, 0.85, 0.95, 1.05)
QUICK_LOADS: Final = (0.6, 0.85, 0.95)
CLOSE_TO_IDEAL: Final = 0.85  # up to this load ours is compared with the clairvoyant
NEAR_SATURATION: Final = 0.95
CAPACITY_RUNS: Final = 1_000  # drawn apart, to find the capacity and no policy's training data
_CAPACITY_SEED: Final = -1


class Place(NamedTuple):
    """Where a race is run."""

    workload: str
    load: float
    seed: int


@dataclass(frozen=True, slots=True)
class Race:
    """What every policy made of the same runs."""

    place: Place
    outcomes: Mapping[str, Outcome]

    def ratio(self, one: str, other: str) -> float:
        """Return the mean completion time of one policy over that of the other."""
        return self.outcomes[one].mean_s / self.outcomes[other].mean_s


def between_s(workload: Workload) -> float:
    """Return the mean time between arrivals at 100 % of capacity, that of the best leases."""
    runs = draw(workload, _CAPACITY_SEED, CAPACITY_RUNS)
    leases_s = closed_form.leases_s(workload, runs)
    return closed_form.held_s(workload, runs, leases_s.__getitem__) / SLOTS


def measure(options: Options) -> Iterator[Item]:
    """Run all policies at every load on every workload, seed by seed."""
    seeds = options.settings.get("seeds", QUICK_SEEDS if options.quick else SEEDS)
    loads = QUICK_LOADS if options.quick else LOADS
    full_s = {name: between_s(workload) for name, workload in WORKLOADS.items()}
    places = [
        Place(name, load, options.seed + n)
        for n in range(seeds)
        for name in WORKLOADS
        for load in loads
    ]
    races = []
    for done, place in enumerate(places):
        yield Progress(done / len(places), f"{place.workload} at {place.load:.0%} of capacity")
        race = run(place, full_s[place.workload])
        races.append(race)
        yield from map(Row, _rows(race))
    yield Figures(figures(races))


def run(place: Place, full_s: float, runs: int | None = None) -> Race:
    """Run all policies in one place; `full_s`: between arrivals at 100 % of capacity."""
    workload = WORKLOADS[place.workload]
    drawn = draw(workload, place.seed, runs or RUNS[place.workload])

    def play(make: Callable[[float], Arm]) -> Outcome:
        return Device(drawn, make(workload.reload_s), full_s / place.load).run()

    outcomes = {name: play(make) for name, make in ARMS.items()}
    outcomes[HINDSIGHT] = min(
        (play(fixed(ttl_s)) for ttl_s in HINDSIGHT_TTLS_S), key=lambda outcome: outcome.mean_s
    )
    return Race(place, outcomes)


def figures(races: Sequence[Race]) -> dict[str, float]:
    """Judge the races. Ours is `index` where Continuum is met: both then know the same."""
    pairs = [race.ratio("index", rival) for race in races for rival in CONTINUUM]
    saturated = [race for race in races if race.place.load == NEAR_SATURATION]
    return {
        "paired_wins_share": fmean(ratio < 1.0 for ratio in pairs),
        "worst_ratio_continuum": max(pairs),
        **{f"clairvoyant_ratio.{name}": _ideal(races, name) for name in WORKLOADS},
        **{f"reload_share.{arm}": _reloads(saturated, arm) for arm in ("lru", "index", "finer")},
        **{
            f"completion_ratio.{arm}": geometric_mean(race.ratio(arm, "finer") for race in races)
            for arm in (*ARMS, HINDSIGHT)
        },
    }


def _ideal(races: Sequence[Race], workload: str) -> float:
    """Return the finer keys' worst ratio to the clairvoyant's over the loads, seeds together."""
    at: defaultdict[float, list[float]] = defaultdict(list)
    for race in races:
        if race.place.workload == workload and race.place.load <= CLOSE_TO_IDEAL:
            at[race.place.load].append(race.ratio("finer", "clairvoyant"))
    return max(fmean(ratios) for ratios in at.values())


def _reloads(races: Sequence[Race], arm: str) -> float:
    return fmean(race.outcomes[arm].reload_share for race in races)


def _rows(race: Race) -> Iterator[dict[str, str | float]]:
    for arm, outcome in race.outcomes.items():
        yield {
            "part": "race",
            "workload": race.place.workload,
            "load": race.place.load,
            "seed": race.place.seed,
            "arm": arm,
            "mean_s": outcome.mean_s,
            "p95_s": outcome.p95_s,
            "reload_share": outcome.reload_share,
            "held_s": outcome.held_s,
        }
