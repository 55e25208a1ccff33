"""Job shops and projects, read from text."""

import pytest

from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.instances import InstanceError
from benchmarks.scheduling.model import Edge, makespan, problem
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.reading import load, load_all
from benchmarks.scheduling.validator import violations
from tests.benchmarks.scheduling.papers import FT06

PROJECT = """\
************************************************************************
file with basedata            : by hand
************************************************************************
projects                      :  1
jobs (incl. supersource/sink ):  4
RESOURCES
  - renewable                 :  2   R
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     8       4    0
  3      1     4       1    9
  4      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  R 2
   12   13
************************************************************************
"""


def read(text, name, folder):
    path = folder / name
    path.write_text(text)
    return load(path)


def test_a_job_shop_brings_a_device_for_each_machine(tmp_path):
    found = read(FT06, "ft06.jss", tmp_path)

    assert (found.name, len(found.tasks), len(found.edges)) == ("ft06", 36, 30)
    assert [(task.skill, task.work) for task in found.tasks[6:8]] == [
        ("machine 1", 8.0),
        ("machine 2", 5.0),
    ]
    assert Edge(0, 1) in found.edges
    assert Edge(5, 6) not in found.edges
    assert [sorted(device.skills) for device in found.fleet.devices] == [
        [f"machine {number}"] for number in range(6)
    ]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_job_shop_is_scheduled_by_its_rules(name, tmp_path):
    """The optimum is 55; nobody may be below it."""
    found = read(FT06, "ft06.jss", tmp_path)
    there = problem(found, found.fleet)
    planned = SCHEDULERS[name](Plan(there)).executions()

    assert violations(there, planned) == []
    assert lower_bound(there) <= 55 <= makespan(planned)


def test_a_project_is_read_with_the_resource_that_a_task_asks_most_of(tmp_path):
    found = read(PROJECT, "j4.sm", tmp_path)

    assert [(task.work, task.skill, task.name) for task in found.tasks] == [
        (0.0, "work", "1"),
        (8.0, "R1", "2"),
        (4.0, "R2", "3"),
        (0.0, "work", "4"),
    ]
    assert found.edges == (Edge(0, 1), Edge(0, 2), Edge(1, 3), Edge(2, 3))
    assert found.fleet is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "x.jss: holds no numbers"),
        ("# only words\n", "x.jss: holds no numbers"),
        ("2 2 2\n", "x.jss:1: expected how many"),
        ("0 2\n", "x.jss:1: expected how many"),
        ("# ours\n2 1\n0 3\n", "x.jss:2: 2 jobs are announced, 1 come"),
        ("1 2\n0 3 1\n", "x.jss:2: expected 2 pairs"),
        ("1 1\n\n1 3\n", "x.jss:3: there is no machine 1"),
        ("1 1\n0 -3\n", "x.jss:2: expected whole numbers, got '0 -3'"),
    ],
)
def test_what_is_no_job_shop_is_refused_with_the_line(text, reason, tmp_path):
    with pytest.raises(InstanceError, match=reason):
        read(text, "x.jss", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("PRECEDENCE RELATIONS:", "PRECEDENCES", "has no section 'PRECEDENCE RELATIONS:'"),
        ("2   3\n", "2\n", ":11: expected 2 successors"),
        ("2   3\n", "2   5\n", ":11: expected 2 successors that are there"),
        (
            "   4        1          0\n",
            "   4        3          0\n",
            ":14: expected job 4 with one",
        ),
        ("   4        1          0\n", "   4        1\n", ":14: expected three numbers"),
        ("   4        1          0\n", "", ":18: 4 durations of 3 jobs"),
        ("  3      1     4", "  3      1     four", ":21: expected whole numbers"),
        ("  3      1     4", "  7      1     4", ":21: expected job 3"),
        (
            "   2        1          1           4",
            "   2  1  1  1",
            "x.sm: x: the graph has a cycle",
        ),
    ],
)
def test_what_is_no_project_is_refused_with_the_line(old, new, reason, tmp_path):
    assert old in PROJECT
    with pytest.raises(InstanceError, match=f"x.sm.*{reason}|{reason}"):
        read(PROJECT.replace(old, new), "x.sm", tmp_path)


def test_a_section_without_rows_is_refused(tmp_path):
    text = "PRECEDENCE RELATIONS:\njobnr.\n***\n"
    with pytest.raises(InstanceError, match=r"x\.sm:3: expected rows of"):
        read(text, "x.sm", tmp_path)


def test_a_folder_is_read_by_name_and_what_is_no_graph_is_passed_over(tmp_path):
    (tmp_path / "b.sm").write_text(PROJECT)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.txt").write_text(FT06)
    (tmp_path / "LICENSE").write_text("MIT")

    assert [each.name for each in load_all(tmp_path)] == ["b", "a"]


def test_a_folder_without_a_graph_and_a_file_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(InstanceError, match=r"holds no file that ends in \.json, \.sm"):
        load_all(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(InstanceError, match="x: cannot be read"):
        load_all(tmp_path / "x")
