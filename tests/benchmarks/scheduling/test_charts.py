"""Pictures of a benchmark's rows, as data and as files."""

import pytest

from benchmarks import report
from benchmarks.chart import Bar, Boxes, Chart, Gantt, Mark
from benchmarks.scheduling.charts import charts
from benchmarks.scheduling.fleets import CLUSTER

DOCUMENT = {"bench": "b", "seed": 0, "figures": {}, "goals": {}, "rows": []}


def raced(policy, makespan, case="sigma0.3", fleet="unrelated"):
    row = {"part": "race", "policy": policy, "case": case, "fleet": fleet}
    return {**row, "makespan": makespan, "bound": 2.0}


def cost(tasks, ms, devices=4):
    return {"part": "costs", "tasks": tasks, "devices": devices, "decision_ms_mean": ms}


def drawn(*rows):
    return {picture.name: picture for picture in charts(rows)}


def test_without_rows_there_is_no_picture():
    assert charts([]) == []


def test_ratios_are_boxes_by_policy_the_best_first():
    rows = [raced("heft", 4.0), raced("heft", 8.0), raced("ours", 3.0), raced("x", 9.0, "sigma0")]
    boxes = drawn(*rows)["ratio_sigma0.3"]

    assert boxes.groups == {"ours": [1.5], "heft": [2.0, 4.0]}
    assert [*boxes.groups] == ["ours", "heft"]


def test_ratios_of_clusters_are_not_drawn():
    rows = [raced("heft", 4.0), raced("heft", 8.0, fleet=CLUSTER)]
    assert drawn(*rows)["ratio_sigma0.3"].groups == {"heft": [2.0]}
    assert "ratio_sigma0.3" not in drawn(raced("heft", 8.0, fleet=CLUSTER))


def test_scaling_is_a_line_for_each_number_of_devices_by_octaves_of_tasks():
    rows = [cost(40, 0.2), cost(60, 0.4), cost(8, 0.1), cost(50, 0.9, devices=16)]
    assert drawn(*rows)["scaling"].lines == {
        "4 devices": [Mark(8, 0.1, 0.1, 0.1), Mark(50, pytest.approx(0.3), 0.2, 0.4)],
        "16 devices": [Mark(50, 0.9, 0.9, 0.9)],
    }


def test_decisions_are_drawn_by_their_share():
    rows = [{"part": "decisions", "share": 0.5, "ms": 0.02}]
    assert drawn(*rows)["decisions"].lines == {"one_plan": [Mark(0.5, 0.02, 0.02, 0.02)]}


def test_a_gantt_chart_has_a_panel_for_each_policy_with_its_makespan():
    row = {
        "part": "gantt",
        "policy": "heft",
        "instance": "m",
        "sigma": 0.3,
        "executions": [[0, 0.0, 2.0, "see"], [1, 1.0, 7.0, "say"]],
    }
    gantt = drawn(row)["gantt"]
    assert gantt.panels == {"heft: 7": [Bar(0, 0.0, 2.0, "see"), Bar(1, 1.0, 7.0, "say")]}
    assert gantt.title == "m, sigma = 0.3"


@pytest.mark.parametrize(
    "picture",
    [
        Boxes("one", "Ratios", "ratio", {"a": [1.0, 2.0, 3.0], "b": [2.0]}),
        Gantt(
            "one",
            "Who",
            "time",
            "device",
            {"a": [Bar(0, 0.0, 1.0, "x")], "b": [Bar(1, 0, 2, "y")]},
        ),
        Chart("one", "Line", "x", "y", {"a": [Mark(1.0, 2.0, 1.0, 3.0)]}, logarithmic=True),
    ],
)
def test_each_kind_of_picture_becomes_a_file_on_the_page(picture, tmp_path):
    pytest.importorskip("matplotlib")
    page = report.write(DOCUMENT, [picture], tmp_path)

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert '<img src="one.png"' in page.read_text(encoding="utf-8")
