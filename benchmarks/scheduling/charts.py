"""What the rows of `scheduling` look like: pictures, as data. `report` draws them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log2
from statistics import fmean
from typing import Final

from benchmarks.chart import Bar, Boxes, Chart, Gantt, Mark, Picture, number, text
from benchmarks.scheduling.figures import geometric_mean
from benchmarks.scheduling.fleets import CLUSTER
from protocol.types import Json

Rows = Sequence[Mapping[str, Json]]

CASES: Final = {
    "sigma0": "without noise",
    "sigma0.3": "sigma = 0.3",
    "sigma0.5": "sigma = 0.5",
    "device_lost": "one device lost, sigma = 0.3",
    "stragglers": "5 % stragglers, sigma = 0.3",
}


def charts(rows: Rows) -> Sequence[Picture]:
    """Return every picture that the rows have something for."""
    by_part: defaultdict[Json, list[Mapping[str, Json]]] = defaultdict(list)
    for row in rows:
        by_part[row["part"]].append(row)
    drawn: list[Picture] = [_ratios(case, by_part["race"]) for case in CASES]
    drawn += _scaling(by_part["costs"]), _decisions(by_part["decisions"]), _gantt(by_part["gantt"])
    return [each for each in drawn if _content(each)]


def _content(picture: Picture) -> Mapping[str, object]:
    match picture:
        case Chart():
            return picture.lines
        case Boxes():
            return picture.groups
        case Gantt():
            return picture.panels


def _ratios(case: str, race: Rows) -> Boxes:
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for row in race:
        if row["case"] == case and row["fleet"] != CLUSTER:
            groups[text(row, "policy")].append(number(row, "makespan") / number(row, "bound"))
    best_first = sorted(groups.items(), key=lambda each: (geometric_mean(each[1]), each[0]))
    title = f"Makespan over the lower bound, {CASES[case]}"
    return Boxes(f"ratio_{case}", title, "makespan / bound", dict(best_first))


def _scaling(costs: Rows) -> Chart:
    """Draw means over worlds whose numbers of tasks lie in the same octave, with their range."""
    octaves: defaultdict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for row in costs:
        tasks, mean = number(row, "tasks"), number(row, "decision_ms_mean")
        octaves[f"{number(row, 'devices'):g} devices", int(log2(tasks))].append((tasks, mean))
    lines: defaultdict[str, list[Mark]] = defaultdict(list)
    for (devices, _), points in sorted(octaves.items(), key=lambda each: each[0][1]):
        at, ms = fmean(tasks for tasks, _ in points), [ms for _, ms in points]
        lines[devices].append(Mark(at, fmean(ms), min(ms), max(ms)))
    return Chart(
        "scaling",
        "All decisions of a run, by its tasks",
        "tasks",
        "CPU ms a task",
        lines,
        logarithmic=True,
        logarithmic_x=True,
    )


def _decisions(quantiles: Rows) -> Chart:
    line = [
        Mark(number(row, "share"), ms, ms, ms) for row in quantiles for ms in [number(row, "ms")]
    ]
    lines = {"one_plan": line} if line else {}
    title = "Time of a decision"
    return Chart("decisions", title, "share of decisions", "CPU ms", lines, logarithmic=True)


def _gantt(rows: Rows) -> Gantt:
    panels = {}
    for row in rows:
        executions = row["executions"]
        assert isinstance(executions, list)
        bars = [Bar(*each) for each in executions]
        last = max(bar.finish for bar in bars)
        panels[f"{text(row, 'policy')}: {last:.4g}"] = bars
    title = f"{text(rows[0], 'instance')}, sigma = {number(rows[0], 'sigma'):g}" if rows else ""
    return Gantt("gantt", title, "time", "device", panels)
