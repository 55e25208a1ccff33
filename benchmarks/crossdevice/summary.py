"""The figures of all plays. Where success was not possible at all a play does not count."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final, NamedTuple

from benchmarks.crossdevice.arms import ARMS, OURS
from benchmarks.crossdevice.campaign import Row
from benchmarks.crossdevice.faults import Kind

Z95: Final = 1.96
LEAST_S: Final = 0.2  # below that there is nothing to save by doing things side by side


class Share(NamedTuple):
    """A share of plays with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float


def share(hits: float, of: int) -> Share:
    """Return a share of independent trials; without any, all is open."""
    if not of:
        return Share(1.0, 0.0, 1.0)
    p, z2 = hits / of, Z95**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * (p * (1 - p) / of + z2 / (4 * of * of)) ** 0.5 / (1 + z2 / of)
    return Share(p, max(0.0, middle - half), min(1.0, middle + half))


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """Return the figures by name; `benchmarks/README.md` says what each means."""
    found: dict[str, float] = {
        "tasks": len({row["task"] for row in rows}),
        "categories": len({row["category"] for row in rows}),
    }
    mine = [row for row in rows if row["arm"] == OURS]
    if mine:
        found["possible"] = fmean(row["possible"] for row in mine)
    for fault, ours in by(mine, "fault").items():
        found.update(_of_fault(fault, ours))
    calm = [row for row in rows if row["fault"] == Kind.NONE]
    found.update(_of_arms(calm))
    found.update(_speed([row for row in calm if row["arm"] == OURS]))
    return found


def by(rows: Iterable[Row], name: str) -> Mapping[str, list[Row]]:
    """Sort rows by what they say under a name."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[name])].append(row)
    return found


def counted(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the plays that say something of their fault.

    Success must have been possible; and where the run did not feel the fault, success proves
    nothing. A failure counts in any case.
    """
    return [
        dict(row)
        for row in rows
        if row["possible"] and (felt(row) or not row["success"] or row["fault"] == Kind.NONE)
    ]


def felt(row: Mapping[str, Any]) -> bool:
    """Tell whether a fault struck the run (`faults.Fate.met`)."""
    return bool(row["plan"]["struck"])


def success_of(rows: Sequence[Row]) -> Share:
    """Return the share of successes, where plays of one task are one trial: they are alike."""
    tasks = by(rows, "task").values()
    share_of = share(sum(fmean(row["success"] for row in of) for of in tasks), len(tasks))
    return share_of._replace(value=fmean(row["success"] for row in rows))


def _of_fault(fault: str, every: Sequence[Row]) -> Iterator[tuple[str, float]]:
    if fault != Kind.NONE:
        yield f"possible.{fault}", fmean(row["possible"] for row in every)
    if fault != Kind.NONE and (possible := [row for row in every if row["possible"]]):
        yield f"struck.{fault}", fmean(map(felt, possible))
    rows = counted(every)
    if not rows:
        return
    success = success_of(rows)
    yield f"success.{fault}", success.value
    yield f"success.{fault}.low", success.low
    yield f"success.{fault}.high", success.high
    yield f"subtasks.{fault}", fmean(row["done"] / row["subtasks"] for row in rows)
    yield f"wasted.{fault}", _ratio(rows, "wasted_s", "worked_s")
    yield f"repeats.{fault}", sum(row["repeats"] for row in rows)
    yield f"minutes.{fault}", sum(row["seconds"] for row in every) / 60
    recovered = [row["recovery_s"] for row in rows if row["recovery_s"] is not None]
    if recovered:
        yield f"recovery_s.{fault}", median(recovered)


def _of_arms(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Compare each arm with the one beside it, task by task and seed by seed."""
    arms = by(rows, "arm")
    took = {
        arm: {(row["task"], row["seed"]): row["latency_s"] for row in of if row["success"]}
        for arm, of in arms.items()
    }
    for arm, of in arms.items():
        yield f"arm.{arm}.success", fmean(row["success"] for row in of)
        other = took.get(ARMS[arm].beside, {})
        both = sorted(took[arm].keys() & other.keys())
        if arm != OURS and both:
            ratio = sum(took[arm][key] for key in both) / sum(other[key] for key in both)
            yield f"arm.{arm}.latency_ratio", ratio


def _speed(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Say how fast ours was, in peace."""
    if rows:
        yield "subtasks.idle", fmean(row["idle"] / row["subtasks"] for row in rows)
    done = [row for row in rows if row["success"]]
    if not done:
        return
    open_ = [row for row in done if row["sequential_s"] - row["least_s"] >= LEAST_S]
    if open_:
        saved = sum(row["sequential_s"] - row["latency_s"] for row in open_)
        yield "saving_of_possible", saved / sum(r["sequential_s"] - r["least_s"] for r in open_)
    yield "latency_change", _ratio(done, "latency_s", "sequential_s") - 1.0
    yield "width_mean", fmean(row["width"] for row in done)
    yield "width_max", max(row["width_max"] for row in done)
    yield "tasks_max", max(row["tasks"] for row in done)
    yield "messages_per_call", _ratio(done, "messages", "attempts")
    yield "bytes_per_call", _ratio(done, "bytes", "attempts")
    yield "tokens", fmean(row["tokens"] for row in done)
    yield "planner_calls", fmean(row["planner_calls"] for row in done)
    yield "replans", sum(row["replans"] for row in done)


def _ratio(rows: Iterable[Mapping[str, Any]], above: str, below: str) -> float:
    rows = list(rows)
    whole = sum(row[below] for row in rows)
    return float(sum(row[above] for row in rows) / whole) if whole else 0.0
