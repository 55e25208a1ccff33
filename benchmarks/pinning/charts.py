"""What the rows of `pinning` look like: charts, as data. `report` draws them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final, NamedTuple

from benchmarks.pinning.interval import interval
from benchmarks.pinning.report import Chart, Mark
from protocol.types import Json


class Measure(NamedTuple):
    """A column of the race that is worth a picture."""

    column: str
    title: str
    label: str
    arms: tuple[str, ...]
    logarithmic: bool = True


_ALL: Final = (
    *("no_pin", "for_ever", "fixed_2s", "fixed_best", "lru"),
    *("continuum_one", "continuum_pearson", "continuum_paper"),
    *("lease", "index", "finer", "clairvoyant"),
)
_FEW: Final = ("fixed_best", "lru", "continuum_one", "index", "finer", "clairvoyant")
_BLIND: Final = ("continuum_one", "continuum_blind", "index", "index_blind")
MEASURES: Final = (
    Measure("mean_s", "Mean completion time", "seconds", _ALL),
    Measure("p95_s", "95th percentile of completion time", "seconds", _FEW),
    Measure("reload_share", "Returns that found nothing warm", "share", _FEW, logarithmic=False),
    Measure("held_s", "Memory held by a run", "seconds", _FEW),
    Measure("mean_s", "Mean completion time, last use not known", "seconds", _BLIND),
)

Rows = Sequence[Mapping[str, Json]]


def charts(rows: Rows) -> Sequence[Chart]:
    """Return every chart that the rows have something for."""
    race = [row for row in rows if row["part"] == "race"]
    drawn = [
        _measured(number, measure, workload, race)
        for number, measure in enumerate(MEASURES)
        for workload in dict.fromkeys(_text(row, "workload") for row in race)
    ]
    thresholds = [row for row in rows if row["part"] == "threshold"]
    drawn += [
        _swept(sweep, [row for row in thresholds if row["sweep"] == sweep])
        for sweep in dict.fromkeys(_text(row, "sweep") for row in thresholds)
    ]
    drawn.append(_estimated([row for row in rows if row["part"] == "estimation"]))
    drawn.append(_sustained([row for row in rows if row["part"] == "sustained"]))
    return [chart for chart in drawn if chart.lines]


def _measured(number: int, measure: Measure, workload: str, race: Rows) -> Chart:
    """Draw geometric means over seeds; the interval is that of the seeds."""
    values: defaultdict[str, defaultdict[float, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in race:
        if row["workload"] == workload and row["arm"] in measure.arms:
            values[_text(row, "arm")][_number(row, "load")].append(_number(row, measure.column))
    means = _geometric if measure.logarithmic else _arithmetic
    lines = {
        arm: tuple(means(load, seeds) for load, seeds in sorted(values[arm].items()))
        for arm in measure.arms
        if arm in values
    }
    name = f"{number}_{measure.column}_{workload}"
    title = f"{measure.title}: {workload}"
    return Chart(name, title, "load, of capacity", measure.label, lines, measure.logarithmic)


def _swept(sweep: str, rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        numbers = (_number(row, name) for name in ("threshold", "cost", "low", "high"))
        lines[_text(row, "workload")].append(Mark(*numbers))
    title = f"Keep while R·h ≥ threshold: {sweep}"
    return Chart(f"threshold_{sweep}", title, "threshold", "cost, over that at 1", lines)


def _estimated(rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        cost = _number(row, "cost")
        lines[_text(row, "gaps")].append(Mark(_number(row, "threshold"), cost, cost, cost))
    title = "Leases from samples, judged exactly"
    return Chart("estimation", title, "threshold", "cost, over the least", lines)


def _sustained(rows: Rows) -> Chart:
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for row in rows:
        for kind in ("closed_form", "simulated"):
            share = _number(row, kind)
            mark = Mark(_number(row, "ttl_s"), share, share, share)
            lines[f"{_text(row, 'workload')}, {kind.replace('_', ' ')}"].append(mark)
    title = "Sustainable load with a fixed TTL"
    return Chart("sustained", title, "TTL, seconds", "share of memory that works", lines)


def _geometric(at: float, values: Sequence[float]) -> Mark:
    return Mark(at, *map(exp, interval([log(value) for value in values])))


def _arithmetic(at: float, values: Sequence[float]) -> Mark:
    return Mark(at, *interval(values))


def _number(row: Mapping[str, Json], name: str) -> float:
    value = row[name]
    assert isinstance(value, int | float)
    return float(value)


def _text(row: Mapping[str, Json], name: str) -> str:
    value = row[name]
    assert isinstance(value, str)
    return value
