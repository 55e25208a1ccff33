"""Every policy on the same runs: completion times, reloads and held memory, load by load."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import Final, NamedTuple

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.arms import ARMS, CONTINUUM, HINDSIGHT, HINDSIGHT_TTLS_S, Arm, fixed
from benchmarks.pinning.device import SLOTS, Device, Outcome
from benchmarks.pinning.workloads import WORKLOADS, Workload, draw
from benchmarks.workers import spread

RUNS: Final[Mapping[str, int]] = {"swe": 150, "bfcl": 700, "crossdevice": 350}
"""Runs of a simulation: some 3,500 to 5,000 turns."""
SEEDS: Final = 8
QUICK_SEEDS: Final = 2
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
    runs: int
    full_s: float
    """Between arrivals at 100 % of capacity."""


class Summary(NamedTuple):
    """What one policy made of the runs: seconds, and shares."""

    mean_s: float
    p95_s: float
    reload_share: float
    """Of the returns, those that found nothing warm."""
    held_s: float
    """For how long a run held memory, warm and idle included."""


@dataclass(frozen=True, slots=True)
class Race:
    """What every policy made of the same runs."""

    place: Place
    outcomes: Mapping[str, Summary]

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
        Place(name, load, options.seed + n, RUNS[name], full_s[name])
        for n in range(seeds)
        for name in WORKLOADS
        for load in loads
    ]
    races = []
    yield Progress(0.0, f"race of {len(ARMS) + 1} policies")
    for place, race in spread(options, run, places):
        races.append(race)
        yield Progress(len(races) / len(places), f"{place.workload} at {place.load:.0%}")
        yield from map(Row, _rows(race))
    yield Figures(figures(races))


def run(place: Place) -> Race:
    """Run all policies in one place."""
    workload = WORKLOADS[place.workload]
    drawn = draw(workload, place.seed, place.runs)

    def play(make: Callable[[float], Arm]) -> Summary:
        outcome = Device(drawn, make(workload.reload_s), place.full_s / place.load).run()
        return _summary(outcome)

    outcomes = {name: play(make) for name, make in ARMS.items()}
    outcomes[HINDSIGHT] = min(
        (play(fixed(ttl_s)) for ttl_s in HINDSIGHT_TTLS_S), key=lambda found: found.mean_s
    )
    return Race(place, outcomes)


def _summary(outcome: Outcome) -> Summary:
    held_s = outcome.held_s / len(outcome.completion_s)
    return Summary(outcome.mean_s, outcome.p95_s, outcome.reload_share, held_s)


def figures(races: Sequence[Race]) -> dict[str, float]:
    """Judge the races. Ours is `index` where Continuum is met: both then know the same."""
    pairs = {rival: [race.ratio("index", rival) for race in races] for rival in CONTINUUM}
    all_pairs = [ratio for ratios in pairs.values() for ratio in ratios]
    saturated = [race for race in races if race.place.load == NEAR_SATURATION]
    over = [race for race in races if race.place.load > 1.0]
    return {
        "paired_wins_share": fmean(ratio < 1.0 for ratio in all_pairs),
        "worst_ratio_continuum": max(all_pairs),
        **{f"ratio.{rival}": geometric_mean(ratios) for rival, ratios in pairs.items()},
        **{f"ratio_over_capacity.{rival}": _ratio(over, rival) for rival in CONTINUUM if over},
        "blind_ratio_max": max(race.ratio("index_blind", "index") for race in races),
        **{f"clairvoyant_ratio.{name}": _ideal(races, name) for name in WORKLOADS},
        **{f"reload_share.{arm}": _reloads(saturated, arm) for arm in ("lru", "index", "finer")},
        **{
            f"completion_ratio.{arm}": geometric_mean(race.ratio(arm, "finer") for race in races)
            for arm in (*ARMS, HINDSIGHT)
        },
    }


def _ratio(races: Iterable[Race], rival: str) -> float:
    return geometric_mean(race.ratio("index", rival) for race in races)


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
    for arm, summary in race.outcomes.items():
        yield {
            "part": "race",
            "workload": race.place.workload,
            "load": race.place.load,
            "seed": race.place.seed,
            "arm": arm,
            **summary._asdict(),
        }
