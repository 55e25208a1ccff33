import json

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.model import Dependency, ForEach, Limits, Needs, On, Op, Predicate, TaskSpec
from orchestrator.planner.llm import edits
from orchestrator.planner.llm.schema import ProposalPart, RevisionPart


def proposal(*tasks):
    return edits.proposal(ProposalPart.model_validate_json(json.dumps({"tasks": tasks})))


def revision(**changes):
    return edits.revision(RevisionPart.model_validate_json(json.dumps(changes)), 7, ["a", "b"])


def test_a_task_says_all_that_a_model_may_say():
    task = {
        "id": "b",
        "skill": "s",
        "args": {"x": {"$from": "a", "path": ["n"]}},
        "device": "nas",
        "labels": ["role=storage", "url=a=b"],
        "for_each": {"items": {"$from": "l", "path": [0]}, "min_success": 2},
        "limits": {"run_s": 5, "attempts": 2},
    }
    assert proposal(task).edits == (
        AddTask(
            TaskSpec(
                "b",
                "s",
                {"x": {"$from": "a", "path": ["n"]}},
                needs=Needs("nas", {"role": "storage", "url": "a=b"}),
                limits=Limits(run_s=5, attempts=2),
                for_each=ForEach({"$from": "l", "path": [0]}, {}, 2),
            )
        ),
    )


def test_what_is_null_is_the_default():
    task = dict.fromkeys(("device", "labels", "after", "for_each", "limits"))
    assert proposal({"id": "b", "skill": "s"} | task) == EditBatch(
        0, (AddTask(TaskSpec("b", "s")),)
    )


def test_a_for_each_over_devices_has_their_labels():
    task = {"id": "b", "skill": "s", "for_each": {"items": None, "labels": ["role=edge"]}}
    assert proposal(task).edits[0].task.for_each == ForEach(None, {"role": "edge"}, None)


def test_dependencies_come_after_the_tasks_without_those_that_references_make():
    first = {"id": "b", "skill": "s", "args": {"x": {"$from": "a"}}, "after": ["a", "c"]}
    when = {"path": ["n"], "op": "gt", "value": 3}
    other = {
        "id": "c",
        "skill": "s",
        "after": [{"task": "d", "when": when}, {"task": "e", "on": "failure"}],
    }
    assert proposal(first, other).edits[2:] == (
        AddDependency(Dependency("c", "b")),
        AddDependency(Dependency("d", "c", On.WHEN, Predicate(("n",), Op.GT, 3))),
        AddDependency(Dependency("e", "c", On.FAILURE)),
    )


def test_a_revision_names_its_base_and_what_it_read_and_gives_up_references_first():
    edge = {"predecessor": "a", "successor": "b"}
    batch = revision(
        cancel_tasks=["g"],
        remove_tasks=["f"],
        remove_dependencies=[edge],
        add_dependencies=[edge | {"on": "completion"}],
        add_tasks=[{"id": "n", "skill": "s", "after": ["a"]}],
        replace_tasks=[{"id": "r", "skill": "t", "after": ["n"]}],
        set_args=[{"task": "e", "args": [{"name": "x", "value": 1}]}],
    )
    assert batch == EditBatch(
        7,
        (
            SetArgs("e", {"x": 1}),
            ReplaceTask(TaskSpec("r", "t")),
            AddTask(TaskSpec("n", "s")),
            AddDependency(Dependency("a", "n")),
            AddDependency(Dependency("n", "r")),
            AddDependency(Dependency("a", "b", On.COMPLETION)),
            RemoveDependency("a", "b"),
            RemoveTask("f"),
            CancelTask("g"),
        ),
        ("a", "b"),
    )
