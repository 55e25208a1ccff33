import json

import pytest

from benchmarks.scheduling.fleets import related
from benchmarks.scheduling.generators import GENERATORS, montage
from benchmarks.scheduling.instances import InstanceError, compact, public
from benchmarks.scheduling.model import Device, Edge, Fleet, Instance, Task, problem
from benchmarks.scheduling.reading import load

COMPACT = {
    "id": "two",
    "family": "by hand",
    "cats": ["see", "say"],
    "tasks": [[2.0, 1, None, 1], [3.5, 0, 3, 2]],
    "edges": [[1, 0, 7.0]],
    "names": ["last", "first"],
    "network": {"nodes": [["a", 1.0]], "edges": [["a", "b", 4.0], ["a", "c", 2.0]]},
}


def wf_1_5():
    return {
        "name": "tiny",
        "schemaVersion": "1.5",
        "workflow": {
            "specification": {
                "tasks": [
                    {
                        "id": "split_ID01",
                        "name": "split_00001",
                        "parents": [],
                        "children": ["count_ID02"],
                        "outputFiles": ["half", "rest"],
                    },
                    {
                        "id": "count_ID02",
                        "name": "count_00002",
                        "parents": ["split_ID01"],
                        "children": [],
                        "inputFiles": ["half", "words"],
                    },
                ],
                "files": [
                    {"id": "half", "sizeInBytes": 500},
                    {"id": "rest", "sizeInBytes": 300},
                    {"id": "words", "sizeInBytes": 80},
                ],
            },
            "execution": {
                "tasks": [
                    {"id": "count_ID02", "runtimeInSeconds": 9.5},
                    {"id": "split_ID01", "runtimeInSeconds": 4},
                ]
            },
        },
    }


def wf_1_3():
    link = {"name": "half", "size": 500}
    return {
        "name": "tiny",
        "schemaVersion": "1.3",
        "workflow": {
            "tasks": [
                {
                    "name": "split_00001",
                    "runtime": 4,
                    "parents": [],
                    "files": [{**link, "link": "output"}],
                },
                {
                    "name": "count_00002",
                    "runtime": 9.5,
                    "parents": ["split_00001"],
                    "files": [{**link, "link": "input"}],
                },
            ]
        },
    }


def test_public_instances_are_all_there_and_have_no_cycle():
    found = list(public())

    assert len(found) == 102
    assert sum(len(each.tasks) for each in found) == 13_918
    assert len({each.name for each in found}) == 102
    for each in found:
        assert len(problem(each, related(each, 4, 0)).order) == len(each.tasks)


def test_compact_form_is_read_in_full(tmp_path):
    path = tmp_path / "two.json"
    path.write_text(json.dumps(COMPACT))

    assert load(path) == Instance(
        "two",
        (Task(2.0, "say", "last"), Task(3.5, "see", "first")),
        (Edge(1, 0, 7.0),),
        "by hand",
        bandwidth=3.0,
    )


@pytest.mark.parametrize("document", [wf_1_5(), wf_1_3()])
def test_wfformat_is_read_in_its_versions(document, tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(document))
    found = load(path)

    assert [(task.work, task.skill) for task in found.tasks] == [(4.0, "split"), (9.5, "count")]
    assert found.edges == (Edge(0, 1, 500.0),)
    assert found.bandwidth == 100 * 2**20  # bytes a second


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"id":\n"x",\n', "cannot be read as JSON.*line 3 column 1"),
        ("[]", "no JSON object"),
        ("{}", "not in the compact form: 'cats' is missing"),
        ('{"workflow": {}}', "not WfFormat.*: 'jobs' is missing"),
        (json.dumps({**COMPACT, "tasks": [*COMPACT["tasks"], [1.0, 9]]}), r"tasks\[2\]: .*range"),
        (json.dumps({**COMPACT, "edges": [[1, 0, 7.0], [0]]}), r"edges\[1\]: .*range"),
        (json.dumps({**COMPACT, "edges": [[0, 1, 1.0], [1, 0, 1.0]]}), "the graph has a cycle"),
        (json.dumps(wf_1_5()).replace('"parents": ["', '"parents": ["x'), "xsplit_ID01. is mis"),
        (json.dumps({**COMPACT, "tasks": [], "edges": []}), "no task"),
        (json.dumps({**COMPACT, "edges": [[0, 2, 1.0]]}), "not there"),
        (json.dumps({**COMPACT, "edges": [[0, 1, -1.0]]}), "size is negative"),
        (json.dumps({**COMPACT, "tasks": [[-1.0, 0, None, 1]], "edges": []}), "time is negative"),
    ],
)
def test_a_file_that_holds_no_graph_is_one_clear_error(text, reason, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(text)

    with pytest.raises(InstanceError, match=f"bad.json.*{reason}"):
        load(path)


def test_a_task_without_a_name_gets_its_number():
    found = compact({**COMPACT, "names": None, "network": None}, "here")
    assert [task.name for task in found.tasks] == ["0", "1"]
    assert found.bandwidth is None


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_gives_the_same_graph_for_the_same_seed_and_another_for_another(name):
    make = GENERATORS[name]

    assert make(50, 1) == make(50, 1)
    assert make(50, 1).edges != make(50, 2).edges
    assert 45 <= len(make(50, 1).tasks) <= 60
    assert len(problem(make(50, 1), related(make(50, 1), 4, 0)).order) == len(make(50, 1).tasks)


def test_montage_has_the_shape_of_montage():
    found = montage(12, 0)

    assert [task.skill for task in found.tasks] == [
        *["project"] * 3, *["compare"] * 2, "model", *["correct"] * 3, "add", "shrink",
    ]  # fmt: skip
    assert [(edge.source, edge.target) for edge in found.edges] == [
        *((0, 3), (1, 3), (1, 4), (2, 4), (3, 5), (4, 5), (5, 6), (5, 7), (5, 8)),
        *((0, 6), (1, 7), (2, 8), (6, 9), (7, 9), (8, 9), (9, 10)),
    ]


def test_a_fleet_follows_from_its_seed_and_spreads_around_the_median():
    two = compact(COMPACT, "here")

    assert related(two, 8, 1) == related(two, 8, 1) != related(two, 8, 2)
    assert all(0.5 <= device.speed <= 2.0 for device in related(two, 16, 3).devices)
    links = related(two, 4, 3).bandwidth
    assert all(links[a][b] == links[b][a] for a in range(4) for b in range(4))
    assert all(1.5 <= links[a][b] <= 6.0 for a in range(4) for b in range(4))
    assert related(Instance("x", two.tasks, ()), 2, 0).mean_bandwidth > 40


def test_a_graph_with_a_cycle_and_a_skill_that_nobody_has_are_refused():
    alone = Fleet((Device(skills=frozenset()),), ((1.0,),))
    ring = Instance("ring", (Task(1.0), Task(1.0)), (Edge(0, 1), Edge(1, 0)))

    with pytest.raises(ValueError, match="ring: no device has the skill 'work'"):
        problem(ring, alone)
    with pytest.raises(ValueError, match="ring: the graph has a cycle"):
        _ = problem(ring, Fleet((Device(),), ((1.0,),))).order
