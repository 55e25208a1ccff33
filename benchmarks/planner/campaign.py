"""Every arm at every rate of mistakes, and what it comes to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, quantiles

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning.interval import interval
from benchmarks.planner.arms import ARMS, RATES
from benchmarks.planner.drive import Cell, Outcome, outcomes
from benchmarks.workers import spread
from protocol.types import Json

REQUESTS = 350
QUICK_REQUESTS = 105
SHOWN = 3  # failures of a kind that a row tells of

Results = Mapping[Cell, Sequence[Outcome]]


def measure(options: Options) -> Iterator[Item]:
    """Run all cells, and tell of them in order."""
    count = options.settings.get("requests", QUICK_REQUESTS if options.quick else REQUESTS)
    cells = [Cell(arm, rate, options.seed, count) for arm in ARMS for rate in RATES]
    found: dict[Cell, Sequence[Outcome]] = {}
    for cell, results in spread(options, outcomes, cells, apart=True):
        found[cell] = results
        label = f"{len(found)} of {len(cells)} cells of {count} requests"
        yield Progress(len(found) / len(cells), label)
    for cell in cells:
        yield Figures(figures(cell, found[cell]))
        yield Row(whole(cell, found[cell]))
        yield from map(Row, by_category(cell, found[cell]))
        yield from map(Row, by_mistake(cell, found[cell]))


def figures(cell: Cell, found: Sequence[Outcome]) -> Mapping[str, float]:
    """Return the figures of one cell; the first answers are the same in every arm that checks."""
    where = f"{cell.arm}.{cell.percent}"
    latencies = [each.latency_s for each in found]
    values = {
        f"success.{where}": fmean(each.success for each in found),
        f"completed.{where}": fmean(each.completed for each in found),
        f"latency_s.{where}": fmean(latencies),
        f"latency_p95_s.{where}": quantiles(latencies, n=20)[-1],
        f"calls.{where}": fmean(each.calls for each in found),
        f"tokens.{where}": fmean(each.tokens for each in found),
        f"silent.{where}": fmean(_silent(each) for each in found),
    }
    if cell.arm == "full":
        accepted = fmean(bool(each.accepted_first) for each in found)
        values[f"accepted_first.{cell.percent}"] = accepted
        values[f"revisions.{where}"] = fmean(each.revisions for each in found)
    return values


def whole(cell: Cell, found: Sequence[Outcome]) -> Mapping[str, Json]:
    """Return the share that succeeded, and where it lies with 95 % confidence."""
    share, low, high = interval([float(each.success) for each in found])
    return {**_place(cell), "requests": len(found), "success": share, "low": low, "high": high}


def by_category(cell: Cell, found: Sequence[Outcome]) -> Iterator[Mapping[str, Json]]:
    """Yield how each category of requests fared."""
    for category in sorted({each.category for each in found}):
        those = [each for each in found if each.category == category]
        yield {
            **_place(cell),
            "category": category,
            "requests": len(those),
            "success": fmean(each.success for each in those),
            "completed": fmean(each.completed for each in those),
            "latency_s": fmean(each.latency_s for each in those),
            "calls": fmean(each.calls for each in those),
            "tokens": fmean(each.tokens for each in those),
        }


def by_mistake(cell: Cell, found: Sequence[Outcome]) -> Iterator[Mapping[str, Json]]:
    """Yield what became of each kind of mistake; ``none`` is an answer that was right.

    A failure is silent where the run says that it succeeded. One that was told and not mended is
    one whose reasons name another rule or task than the planner takes for this mistake.
    """
    for mistake in sorted({kind for each in found for kind in _kinds(each)}):
        those = [each for each in found if mistake in _kinds(each)]
        failed = [each for each in those if not each.success]
        yield {
            **_place(cell),
            "mistake": mistake,
            "requests": len(those),
            "failed": len(failed),
            "silent": sum(map(_silent, failed)),
            "told": dict(Counter(rule for each in failed for rule in set(each.rules))),
            "failures": [
                {"request": each.number, "category": each.category, "reason": each.reason}
                for each in failed[:SHOWN]
            ],
        }


def _place(cell: Cell) -> Mapping[str, Json]:
    return {"part": "ladder", "arm": cell.arm, "percent": cell.percent, "seed": cell.seed}


def _kinds(outcome: Outcome) -> Sequence[str]:
    return outcome.mistakes or ("none",)


def _silent(outcome: Outcome) -> bool:
    return not outcome.success and outcome.status == "succeeded"
