"""Is 1 the right threshold? Keep while `R·h` is at least something else, and see.

Seen three times: in the mean completion time close to saturation, which is noisy; and in what the
rule is about, the seconds that memory is held for a gap, a reload included. There each lease comes
once from gaps drawn apart, so many that `F` is as good as known, and once from the window of gaps
that came before: the first judges the rule, the second what the estimator adds to it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log
from statistics import fmean
from typing import Final

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.arms import Learning
from benchmarks.pinning.device import Device
from benchmarks.pinning.race import QUICK_SEEDS, RUNS, SEEDS, between_s
from benchmarks.pinning.workloads import KIND, WORKLOADS, Run, Turn, Workload, draw
from orchestrator.core.retention.curve import Curve
from orchestrator.core.retention.keys import GapHistories, GapKey
from orchestrator.core.retention.warm_set import ByIndex

GRID: Final = tuple(tenths / 10 for tenths in range(5, 17))
JUDGED_RUNS: Final[Mapping[str, int]] = {"swe": 300, "bfcl": 2_500, "crossdevice": 1_000}
_APART_SEED: Final = -2
LOAD: Final = 0.95  # where memory is scarce, so that the threshold matters


def measure_held(options: Options) -> Iterator[Item]:
    """Sweep it by held seconds; the figures are the grid points with the least."""
    for done, (way, held_s) in enumerate({"known": known_s, "learned": learned_s}.items()):
        yield Progress(done / 2, f"thresholds by held seconds: gaps {way}")
        costs = {
            name: held_s(workload, draw(workload, options.seed, JUDGED_RUNS[name]))
            for name, workload in WORKLOADS.items()
        }
        means: dict[float, float] = {}
        for place, threshold in enumerate(GRID):
            held = {name: each[place] for name, each in costs.items()}
            means[threshold] = fmean(map(log, held.values()))
            yield Row({"part": f"threshold_{way}", "threshold": threshold, **held})
        yield Figures({f"threshold_{way}_argmin": min(means, key=means.__getitem__)})


def known_s(workload: Workload, runs: Sequence[Run]) -> list[float]:
    """Return the mean seconds held for a gap at each threshold, if `F` is known."""
    apart = draw(workload, _APART_SEED, len(runs))
    by_wait = closed_form.curves(apart)
    return _held_s(workload, runs, lambda turn: by_wait.get(turn.wait, Curve()))


def learned_s(workload: Workload, runs: Sequence[Run]) -> list[float]:
    """Return the same, if all that is known of a gap are those before it."""
    histories = GapHistories()

    def seen(turn: Turn) -> Curve:
        key = GapKey(KIND, turn.wait.skill, turn.wait.device_class)
        curve = histories.speaking(key)[1].curve()
        histories.add(key, turn.gap_s)
        return curve

    return _held_s(workload, runs, seen)


def _held_s(
    workload: Workload, runs: Sequence[Run], curve_of: Callable[[Turn], Curve]
) -> list[float]:
    turns = [turn for run in runs for turn in run.turns[:-1]]
    held = [0.0] * len(GRID)
    for turn in turns:
        curve = curve_of(turn)
        for place, threshold in enumerate(GRID):
            lease_s = curve.lease_s(workload.reload_s / threshold)
            kept = turn.gap_s <= lease_s
            held[place] += turn.gap_s if kept else lease_s + workload.reload_s
    return [total / len(turns) for total in held]


def measure(options: Options) -> Iterator[Item]:
    """Sweep it; the figure is the grid point with the least mean completion time.

    Means over workloads and seeds are of logarithms, so that no workload outweighs the others.
    """
    seeds = options.settings.get("seeds", QUICK_SEEDS if options.quick else SEEDS)
    full_s = {name: between_s(workload) for name, workload in WORKLOADS.items()}
    means: dict[float, float] = {}
    for done, threshold in enumerate(GRID):
        yield Progress(done / len(GRID), f"threshold {threshold:g}")
        by_workload = {
            name: fmean(
                log(_mean_s(name, options.seed + n, threshold, full_s[name])) for n in range(seeds)
            )
            for name in WORKLOADS
        }
        means[threshold] = fmean(by_workload.values())
        yield Row({"part": "threshold", "threshold": threshold, **by_workload})
    best = min(means, key=means.__getitem__)
    yield Figures({"threshold_argmin": best, "threshold_distance": abs(best - 1.0)})


def _mean_s(name: str, seed: int, threshold: float, full_s: float) -> float:
    workload = WORKLOADS[name]
    arm = Learning(workload.reload_s, ByIndex(), finer=True, threshold=threshold)
    return Device(draw(workload, seed, RUNS[name]), arm, full_s / LOAD).run().mean_s
