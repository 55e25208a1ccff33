import json
from dataclasses import replace

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
from orchestrator.core.model import (
    Dependency,
    ForEach,
    Limits,
    Needs,
    On,
    Op,
    Predicate,
    ResourceNeed,
    TaskSpec,
)
from orchestrator.planner.llm import edits
from orchestrator.planner.llm.schema import ProposalPart, RevisionPart
from protocol.types import Effect


def proposal(*tasks):
    return edits.proposal(ProposalPart.model_validate_json(json.dumps({"tasks": tasks})))


def revision(*old, **changes):
    part = RevisionPart.model_validate_json(json.dumps(changes))
    return edits.revision(part, 7, ["a", "b"], {spec.id: spec for spec in old})


def test_a_task_says_all_that_a_model_may_say():
    task = {
        "id": "b",
        "skill": "s",
        "args": {"x": {"$from": "a", "path": ["n"]}},
        "device": "nas",
        "labels": ["role=storage", "url=a=b"],
        "for_each": {"items": {"$from": "l", "path": [0]}, "min_success": 2},
        "limits": {"run_s": 5, "attempts": 2},
        "expect": {"path": ["n", 0], "op": "lt", "value": 10},
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
                expect=Predicate(("n", 0), Op.LT, 10),
            )
        ),
    )


def test_what_is_null_is_the_default():
    task = dict.fromkeys(("device", "labels", "after", "for_each", "limits", "expect"))
    assert proposal({"id": "b", "skill": "s"} | task) == EditBatch(
        0, (AddTask(TaskSpec("b", "s")),)
    )


OLD = TaskSpec(
    "b",
    "s",
    {"n": 1},
    title="Pay",
    needs=Needs("nas", {}, (ResourceNeed("model", "m", 8e9),)),
    limits=Limits(run_s=5),
    effect=Effect.ONCE,
    estimate_s=3.0,
    expect=Predicate(("n",), Op.LT, 10),
)


def test_a_task_done_in_another_way_keeps_what_a_model_does_not_say_of_it():
    changed = {"id": "b", "skill": "s", "args": {"n": 2}, "device": "pi"}
    assert revision(OLD, replace_tasks=[changed]).edits == (
        ReplaceTask(replace(OLD, args={"n": 2}, needs=replace(OLD.needs, device="pi"))),
    )
    [edit] = revision(OLD, replace_tasks=[changed | {"limits": {"run_s": 9}}]).edits
    assert edit.task.limits == Limits(run_s=9)
    told = {"expect": {"path": ["n"], "op": "truthy", "value": None}}
    [edit] = revision(OLD, replace_tasks=[changed | told]).edits
    assert edit.task.expect == Predicate(("n",), Op.TRUTHY)


def test_of_a_task_of_another_skill_nothing_is_kept():
    [edit] = revision(OLD, replace_tasks=[{"id": "b", "skill": "other"}]).edits
    assert edit.task == TaskSpec("b", "other")


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
