"""Is 1 the right threshold? Keep while `R·h` is at least something else, and see.

Three sweeps on the simulated device, all with the product's `ByIndex` over the same runs:

* `known`: what the rule claims. The device is never idle, every distribution is known, and what
  counts is what the rule minimises: memory-seconds per second of work, the inverse of the load
  that can be sustained. Its best is `threshold_argmin`.
* `learned`: the same, but the gaps are learned while it goes. What is lost at 1 is the estimator's
  doing; `estimation` says why.
* `completion`: mean completion time at 95 % of capacity, gaps learned. The rule does not minimise
  it: a run that is evicted waits for its own reload as well, and memory is not always asked for.

Gaps are spread evenly (`workloads.evened`) where the device is never idle, or noise would hide the
differences, a few tenths of a percent. Costs are compared with those at 1 on the same runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import exp, log
from statistics import fmean
from typing import Final, NamedTuple

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form, race
from benchmarks.pinning.arms import Arm, Learning, Told
from benchmarks.pinning.device import SLOTS, Device
from benchmarks.pinning.interval import interval
from benchmarks.pinning.workloads import WORKLOADS, draw, evened
from benchmarks.workers import spread
from orchestrator.core.retention.keeping import ByIndex

GRID: Final = tuple(tenths / 10 for tenths in range(5, 17))
QUICK_GRID: Final = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
RUNS: Final[Mapping[str, int]] = {"swe": 400, "bfcl": 3_000, "crossdevice": 1_200}
FEWER_RUNS: Final[Mapping[str, int]] = {"swe": 200, "bfcl": 1_500, "crossdevice": 600}
QUANTILES: Final = 400  # that stand for a distribution
LOAD: Final = 0.95  # where memory is scarce, so that the threshold matters
SEEDS: Final[Mapping[str, int]] = {"known": 4, "learned": 4, "completion": 8}


class Case(NamedTuple):
    """One simulation; `between_s` = 0: all runs are there from the beginning."""

    sweep: str
    workload: str
    seed: int
    threshold: float
    runs: int
    between_s: float


def measure(options: Options) -> Iterator[Item]:
    """Make all sweeps; costs are compared as logarithms, so that no workload outweighs another."""
    cases = _cases(options)
    found: dict[Case, float] = {}
    for case, cost in spread(options, run, cases):
        found[case] = cost
        yield Progress(len(found) / len(cases), f"threshold, {case.sweep}: {case.workload}")
    best: dict[str, float] = {}
    for sweep in SEEDS:
        logs = _logs({case: cost for case, cost in found.items() if case.sweep == sweep})
        yield from _rows(sweep, logs)
        means = {threshold: fmean(by["all"]) for threshold, by in logs.items()}
        best[sweep] = min(means, key=means.__getitem__)
        yield Figures(
            {
                f"threshold_argmin.{sweep}": best[sweep],
                f"threshold_loss.{sweep}": exp(-means[best[sweep]]) - 1.0,
            }
        )
    yield Figures(
        {"threshold_argmin": best["known"], "threshold_distance": abs(best["known"] - 1.0)}
    )


def _cases(options: Options) -> Sequence[Case]:
    grid = QUICK_GRID if options.quick else GRID
    cases = []
    for sweep, usual in SEEDS.items():
        seeds = options.settings.get("seeds", 1 if options.quick else usual)
        runs = RUNS if sweep == "known" and not options.quick else FEWER_RUNS
        for name, workload in WORKLOADS.items():
            load = (race.RUNS[name], race.between_s(workload) / LOAD)
            size = load if sweep == "completion" else (runs[name], 0.0)
            cases += [
                Case(sweep, name, options.seed + n, threshold, *size)
                for n in range(seeds)
                for threshold in grid
            ]
    return cases


def run(case: Case) -> float:
    """Return the cost of a threshold: mean completion time, or memory-seconds for one of work."""
    workload = WORKLOADS[case.workload]
    drawn = draw(workload, case.seed, case.runs)
    if not case.between_s:
        drawn = evened(drawn)
    arm: Arm = Learning(workload.reload_s, ByIndex(), finer=True, threshold=case.threshold)
    if case.sweep == "known":
        curves = {wait: closed_form.known(wait, QUANTILES) for wait in workload.waits}
        arm = Told(workload.reload_s, ByIndex(), curves=curves, threshold=case.threshold)
    outcome = Device(drawn, arm, case.between_s).run()
    return outcome.mean_s if case.between_s else 1.0 / outcome.busy_share(SLOTS, skipped=0.0)


def _logs(costs: Mapping[Case, float]) -> Mapping[float, Mapping[str, Sequence[float]]]:
    """Return log(cost over that at 1, same runs): by threshold, by workload or `all`, by seed."""
    logs: dict[float, dict[str, list[float]]] = {}
    for case, cost in costs.items():
        by = logs.setdefault(case.threshold, {})
        by.setdefault(case.workload, []).append(log(cost / costs[case._replace(threshold=1.0)]))
    for by in logs.values():
        by["all"] = [fmean(each) for each in zip(*by.values(), strict=True)]
    return logs


def _rows(sweep: str, logs: Mapping[float, Mapping[str, Sequence[float]]]) -> Iterator[Row]:
    for threshold, by_workload in logs.items():
        for workload, each in by_workload.items():
            mean, low, high = map(exp, interval(each))
            yield Row(
                {
                    "part": "threshold",
                    "sweep": sweep,
                    "workload": workload,
                    "threshold": threshold,
                    "cost": mean,
                    "low": low,
                    "high": high,
                }
            )
