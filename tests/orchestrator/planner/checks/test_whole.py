import time

import pytest

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
from orchestrator.core.model import Dependency, ForEach, Needs, On, Op, Predicate, TaskSpec
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner.checks import advise, check
from protocol.types import DeviceCard, SkillInfo

READ = SkillInfo(
    "read",
    input_schema={
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}},
        "required": ["path"],
        "additionalProperties": False,
    },
)
CARDS = [DeviceCard("nas", labels={"role": "server"}, skills=(READ, SkillInfo("free")))]


def task(name, skill="free", /, **args):
    return TaskSpec(name, skill, args)


def add(*tasks, edges=()):
    return EditBatch(0, (*map(AddTask, tasks), *(AddDependency(Dependency(*e)) for e in edges)))


def ref(name, *path):
    return {"$from": name, "path": list(path)}


def snapshot(*tasks, edges=()):
    return RunSnapshot(
        run="r",
        request="",
        revision=3,
        status="running",
        tasks=tuple(
            TaskSnapshot(
                spec=each,
                state="waiting",
                reason="",
                output=None,
                dependencies=tuple(Dependency(*e) for e in edges if e[1] == each.id),
            )
            for each in tasks
        ),
    )


def rules(batch, **more):
    return [(each.rule, each.task) for each in check(batch, CARDS, **more)]


def test_a_sound_plan_has_no_findings():
    plan = add(task("a"), task("b", x=ref("a", "rows", 0)), task("c"), edges=[("b", "c")])
    assert check(plan, CARDS) == ()


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        (EditBatch(0, ()), [("empty", None)]),
        (add(task("a"), task("a")), [("duplicate_task", "a")]),
        (add(task("a", x=ref("b"))), [("reference", "a")]),
        (add(task("a", x=[{"y": {"$from": 7}}])), [("reference", "a")]),
        (add(task("b"), task("a", x={"$from": "b", "path": "p"})), [("reference", "a")]),
        (add(task("b"), task("a", x={"$from": "b", "path": [True]})), [("reference", "a")]),
        (add(task("b"), task("a", x={"$from": "b", "else": 1})), [("reference", "a")]),
        (add(task("a", x={"$item": []})), [("reference", "a")]),
        (add(TaskSpec("a", "free", for_each=ForEach({"$item": []}))), [("reference", "a")]),
        (add(TaskSpec("a", "free", for_each=ForEach(ref("b")))), [("reference", "a")]),
        (add(task("a"), edges=[("a", "b")]), [("unknown_task", "b")]),
        (add(task("a"), edges=[("b", "a")]), [("unknown_task", "b")]),
        (add(task("a"), edges=[("a", "a")]), [("cycle", "a")]),
        (add(task("a"), task("b", x=ref("a")), edges=[("b", "a")]), [("cycle", "a")]),
        (add(task("a"), task("b"), edges=[("a", "b", On.WHEN)]), [("dependency", "b")]),
        (
            add(task("a"), task("b"), edges=[("a", "b", On.SUCCESS, Predicate((), Op.TRUTHY))]),
            [("dependency", "b")],
        ),
        (
            add(task("a"), task("b", x=ref("a")), edges=[("a", "b", On.FAILURE)]),
            [("dependency", "b")],
        ),
        (EditBatch(0, (RemoveTask("a"),)), [("unknown_task", "a")]),
        (EditBatch(0, (ReplaceTask(task("a")),)), [("unknown_task", "a")]),
        (EditBatch(0, (SetArgs("a", {}),)), [("unknown_task", "a")]),
        (EditBatch(0, (CancelTask("a"),)), [("unknown_task", "a")]),
        (EditBatch(0, (RemoveDependency("a", "b"),)), [("dependency", "b")]),
        (add(task("a", "read")), [("arguments", "a")]),
        (add(task("a", "read", path=1)), [("arguments", "a")]),
        (add(task("a", "read", path="x", limit=0, pth="")), [("arguments", "a")] * 2),
    ],
)
def test_each_fault_is_found_by_its_rule(batch, found):
    assert rules(batch) == found


def test_an_item_is_known_inside_of_a_for_each():
    each = TaskSpec("a", "free", {"x": {"$item": ["path"]}}, for_each=ForEach(labels={}))
    assert rules(add(each)) == []


def test_a_dependency_may_come_before_its_tasks():
    plan = EditBatch(
        0, (AddDependency(Dependency("a", "b")), AddTask(task("a")), AddTask(task("b")))
    )
    assert rules(plan) == []


def test_edits_are_judged_against_the_run_as_it_will_be():
    run = snapshot(task("a"), task("b", x=ref("a")), task("c"), edges=[("b", "c")])
    assert rules(EditBatch(3, (RemoveTask("a"),)), snapshot=run) == []
    assert rules(EditBatch(3, (RemoveTask("a"), SetArgs("b", {"x": ref("a")}))), snapshot=run) == [
        ("reference", "b")
    ]
    assert rules(EditBatch(3, (RemoveDependency("b", "c"),)), snapshot=run) == []
    assert rules(EditBatch(3, (AddTask(task("c")),)), snapshot=run) == [("duplicate_task", "c")]
    assert rules(EditBatch(3, (SetArgs("a", {"x": ref("c")}),)), snapshot=run) == [("cycle", "a")]
    assert rules(EditBatch(3, (ReplaceTask(task("a", "read")),)), snapshot=run) == [
        ("arguments", "a")
    ]
    assert rules(EditBatch(3, (CancelTask("c"),)), snapshot=run) == []


def test_a_task_that_is_removed_takes_its_dependencies_with_it():
    run = snapshot(task("a"), task("b"), task("c"), edges=[("a", "b"), ("b", "c")])
    assert rules(EditBatch(3, (RemoveTask("b"),)), snapshot=run) == []


def test_removing_a_task_that_is_used_is_found():
    run = snapshot(task("a"), task("b", x=ref("a")))
    batch = EditBatch(3, (RemoveTask("a"), ReplaceTask(task("b", x=ref("a")))))
    assert rules(batch, snapshot=run) == [("reference", "b")]


def test_details_name_the_nearest_known_name():
    [reason] = check(add(task("collect"), task("b", x=ref("colect"))), CARDS)
    assert reason.detail == (
        "task 'b' refers to 'colect', which is not in the plan, did you mean 'collect'?"
    )


def test_arguments_are_right_if_they_are_on_any_device_that_may_run_the_task():
    strict = DeviceCard("new", skills=(READ,))
    loose = DeviceCard("old", skills=(SkillInfo("read"),))
    plan = add(task("a", "read", path=1))
    assert check(plan, [strict, loose]) == ()
    bound = add(TaskSpec("a", "read", {"path": 1}, needs=Needs("new")))
    assert [each.rule for each in check(bound, [strict, loose])] == ["arguments"]


@pytest.mark.parametrize(
    ("spec", "detail"),
    [
        (task("a", "raed"), "no known device offers the skill 'raed', did you mean 'read'?"),
        (
            TaskSpec("a", "read", needs=Needs("nsa", {"role": "server"})),
            "no known device that is 'nsa' and has role=server offers the skill 'read'",
        ),
        (
            TaskSpec("a", "read", for_each=ForEach(labels={"role": "phone"})),
            "no known device that has role=phone offers the skill 'read'",
        ),
    ],
)
def test_a_task_that_nobody_can_run_now_is_advice(spec, detail):
    plan = add(spec)
    assert [each.rule for each in check(plan, CARDS)] == []
    assert [(each.rule, each.detail) for each in advise(plan, CARDS)] == [
        ("no_device", f"task 'a': {detail}")
    ]


def test_labels_over_items_do_not_choose_the_device():
    plan = add(task("b"), TaskSpec("a", "free", for_each=ForEach(ref("b"), {"role": "phone"})))
    assert advise(plan, CARDS) == ()


def test_the_cost_of_a_check_is_in_proportion_to_the_tasks():
    def cost(size):
        plan = add(
            *(
                task(f"t{n}", "read", path=ref(f"t{n - 1}", "a") if n else "x", limit=n + 1)
                for n in range(size)
            )
        )

        def measure():
            start = time.process_time()
            assert check(plan, CARDS) == ()
            return time.process_time() - start

        return min(measure() for _ in range(3))

    assert cost(4000) < 4 * 20 * cost(200)
