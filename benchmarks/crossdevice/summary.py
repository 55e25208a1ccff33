"""The figures of all plays. Where success was not possible at all a play does not count."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final, NamedTuple

from benchmarks.crossdevice.campaign import OURS, Row
from benchmarks.crossdevice.faults import Kind

Z95: Final = 1.96
LEAST_S: Final = 0.2  # below that there is nothing to save by doing things side by side


class Share(NamedTuple):
    """A share of plays with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float


def share(hits: int, of: int) -> Share:
    """Return a share of independent plays; without any, all is open."""
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
    if mine := [row["possible"] for row in rows if row["arm"] == OURS]:
        found["possible"] = fmean(mine)
    for fault, of in by(rows, "fault").items():
        ours = [row for row in of if row["arm"] == OURS]
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


def _of_fault(fault: str, rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    counted = [row for row in rows if row["possible"]]
    if not counted:
        return
    success = share(sum(row["success"] for row in counted), len(counted))
    yield f"success.{fault}", success.value
    yield f"success.{fault}.low", success.low
    yield f"success.{fault}.high", success.high
    yield f"subtasks.{fault}", fmean(row["done"] / row["subtasks"] for row in counted)
    yield f"wasted.{fault}", _ratio(counted, "wasted_s", "worked_s")
    yield f"repeats.{fault}", sum(row["repeats"] for row in counted)
    yield f"minutes.{fault}", sum(row["seconds"] for row in counted) / 60
    recovered = [row["recovery_s"] for row in counted if row["recovery_s"] is not None]
    if recovered:
        yield f"recovery_s.{fault}", median(recovered)


def _of_arms(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Compare the arms with ours, task by task and seed by seed."""
    ours = {(row["task"], row["seed"]): row for row in rows if row["arm"] == OURS}
    for arm, of in by(rows, "arm").items():
        yield f"arm.{arm}.success", fmean(row["success"] for row in of)
        pairs = [
            (row, ours[key])
            for row in of
            if row["success"] and (key := (row["task"], row["seed"])) in ours
        ]
        if arm != OURS and pairs:
            theirs = sum(row["latency_s"] for row, _ in pairs)
            yield f"arm.{arm}.latency_ratio", theirs / sum(mine["latency_s"] for _, mine in pairs)


def _speed(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Say how fast ours was, in peace."""
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
