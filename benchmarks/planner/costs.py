"""What planning costs those who have nothing to do with it, and what the checks cost."""

from collections.abc import Iterator
from statistics import median

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.planner.gap import NEWS, THINKS_S, gap_ms
from benchmarks.workers import spread
from orchestrator.planner.checks.cost import check_ms

GAPS = {"full": "dispatch_gap_ms", "stop_world": "dispatch_gap_ms.stop_world"}
"""Arm → figure."""
ROUNDS = 3  # whose median is the figure: now and then a round has a pause of the machine in it


def measure(options: Options) -> Iterator[Item]:
    """Measure the checks of a plan, and the gap beside a planner that thinks."""
    yield Progress(0.0, "what the checks cost")
    costs = check_ms(NEWS)
    yield Row({"part": "checks", "tasks": NEWS, "ms": dict(costs)})
    yield Figures({f"check_ms.{NEWS}": costs["all"]})
    yield Progress(0.2, f"beside a planner that thinks for {THINKS_S:g} s")
    rounds = [(arm, n) for n in range(ROUNDS) for arm in GAPS]
    found: dict[str, list[float]] = {arm: [] for arm in GAPS}
    for done, ((arm, _), longest_ms) in enumerate(
        spread(options, _one, rounds, apart=True), start=1
    ):
        found[arm].append(longest_ms)
        yield Progress((1 + 4 * done / len(rounds)) / 5, f"dispatch gap, {arm}")
    for arm, figure in GAPS.items():
        yield Row({"part": "gap", "arm": arm, "longest_ms": found[arm]})
        yield Figures({figure: median(found[arm])})


def _one(job: tuple[str, int]) -> float:
    return gap_ms(job[0])
