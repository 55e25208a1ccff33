"""What the rows of `pinning` look like: charts, as data. `report` draws them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import fmean
from typing import Final, NamedTuple

from benchmarks.chart import Chart, Mark, number, text
from benchmarks.pinning.interval import interval
from protocol.types import Json


class Measure(NamedTuple):
    """A column of the race that is worth a picture."""

    name: str
    column: str
    title: str
    label: str
    arms: tuple[str, ...]
    over: str = ""
    """Draw the ratio to this arm on the same runs, with its interval over seeds."""


_IDEAL: Final = "clairvoyant"
_ALL: Final = (
    *("no_pin", "for_ever", "fixed_2s", "fixed_best", "lru"),
    *("continuum_one", "continuum_pearson", "continuum_paper"),
    *("lease", "index", "finer", _IDEAL),
)
_CLOSE: Final = tuple(arm for arm in _ALL if arm not in ("no_pin", "for_ever", "lru"))
_BLIND: Final = ("continuum_one", "continuum_blind", "index", "index_blind")
_RATIO: Final = "over the clairvoyant's"
MEASURES: Final = (
    Measure("completion", "mean_s", "Mean completion time", "seconds", _ALL),
    Measure("completion_ratio", "mean_s", "Mean completion time", _RATIO, _CLOSE, _IDEAL),
    Measure("p95_ratio", "p95_s", "95th percentile of completion time", _RATIO, _CLOSE, _IDEAL),
    Measure("blind", "mean_s", "Completion, last use unknown", _RATIO, _BLIND, _IDEAL),
    Measure("reloads", "reload_share", "Returns that found nothing warm", "share", _ALL),
    Measure("held", "held_s", "Memory held by a run", "seconds", _ALL),
)

Rows = Sequence[Mapping[str, Json]]


def charts(rows: Rows) -> Sequence[Chart]:
    """Return every chart that the rows have something for."""
    race = [row for row in rows if row["part"] == "race"]
    drawn = [
        _measured(measure, workload, [row for row in race if row["workload"] == workload])
        for measure in MEASURES
        for workload in dict.fromkeys(text(row, "workload") for row in race)
    ]
    thresholds = [row for row in rows if row["part"] == "threshold"]
    drawn += [
        _swept(sweep, [row for row in thresholds if row["sweep"] == sweep])
        for sweep in dict.fromkeys(text(row, "sweep") for row in thresholds)
    ]
    drawn.append(_estimated([row for row in rows if row["part"] == "estimation"]))
    drawn.append(_sustained([row for row in rows if row["part"] == "sustained"]))
    return [chart for chart in drawn if chart.lines]


def _measured(measure: Measure, workload: str, race: Rows) -> Chart:
    """Draw means over seeds; without a ratio their spread is that of the runs, and left out."""
    at = {
        (text(row, "arm"), number(row, "load"), number(row, "seed")): number(row, measure.column)
        for row in race
    }
    values: defaultdict[str, defaultdict[float, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for (arm, load, seed), value in at.items():
        base = at[measure.over, load, seed] if measure.over else 1.0
        values[arm][load].append(value / base)
    mark = _ratio if measure.over else _mean
    lines = {
        arm: tuple(mark(load, seeds) for load, seeds in sorted(values[arm].items()))
        for arm in measure.arms
        if arm in values
    }
    return Chart(
        f"{measure.name}_{workload}",
        f"{measure.title}: {workload}",
        "load, of capacity",
        measure.label,
        lines,
        logarithmic=measure.label == "seconds",
    )


def _swept(sweep: str, rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        numbers = (number(row, name) for name in ("threshold", "cost", "low", "high"))
        lines[text(row, "workload")].append(Mark(*numbers))
    title = f"Keep while R·h ≥ threshold: {sweep}"
    return Chart(f"threshold_{sweep}", title, "threshold", "cost, over that at 1", lines)


def _estimated(rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        cost = number(row, "cost")
        lines[text(row, "gaps")].append(Mark(number(row, "threshold"), cost, cost, cost))
    title = "Leases from samples, judged exactly"
    return Chart("estimation", title, "threshold", "cost, over the least", lines)


def _sustained(rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        for kind in ("closed_form", "simulated"):
            share = number(row, kind)
            mark = Mark(number(row, "ttl_s"), share, share, share)
            lines[f"{text(row, 'workload')}, {kind.replace('_', ' ')}"].append(mark)
    title = "Sustainable load with a fixed TTL"
    return Chart("sustained", title, "TTL, seconds", "share of memory that works", lines)


def _ratio(at: float, values: Sequence[float]) -> Mark:
    return Mark(at, *map(exp, interval([log(value) for value in values])))


def _mean(at: float, values: Sequence[float]) -> Mark:
    mean = fmean(values)
    return Mark(at, mean, mean, mean)
