from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest

from benchmarks.crossdevice.arms import ARMS, ArmPlanner
from benchmarks.crossdevice.planning import (
    MISTAKES,
    ROUNDS,
    ErringPlanner,
    PlannerControl,
    SuitePlanner,
    mistakes,
)
from benchmarks.crossdevice.reference import ReferencePlanner
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
)
from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, ForEach, Needs, On, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner import DeviceView, NoRevisionError, PlanRequest, RevisionRequest
from protocol.types import DeviceCard, DeviceId, RunId, SkillInfo, TaskId

A, B = TaskId("a"), TaskId("b")
PLAYBOOK = """\
name: digests
description: Two digests.
match: ["digest {what}"]
parameters:
  what: {description: What.}
  folder: {description: Where.}
tasks:
  - {id: a, skill: work.digest, args: {name: "${what}"}}
  - {id: b, skill: work.digest, args: {name: "${folder}", given: "${a}"}}
"""
REVISIONS = """\
- failed: a
  cause: broken
  tasks:
    - {id: a, skill: work.digest, args: {name: "${folder}-again", given: "${c}"}}
    - {id: c, skill: work.digest, args: {name: extra}, after: []}
"""
FLEET = tuple(
    DeviceView(DeviceCard(DeviceId(name), skills=(SkillInfo("work.digest"),)))
    for name in ("server-1", "edge-1")
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "revisions").mkdir()
    (tmp_path / "digests.yaml").write_text(PLAYBOOK)
    (tmp_path / "revisions" / "digests.yaml").write_text(REVISIONS)
    return tmp_path


@pytest.fixture
def erring(folder):
    return partial(ErringPlanner, file=folder / MISTAKES)


def asked(run="r", seed=0):
    return PlanRequest(RunId(run), "digest x", {"folder": "f"}, FLEET, seed)


def failed(plan, task, cause, states=MappingProxyType({})):
    specs = [e.task for e in plan.edits if isinstance(e, AddTask)]
    edges = [Dependency(before, spec.id) for spec in specs for before in predecessors(spec)]
    edges += [e.dependency for e in plan.edits if isinstance(e, AddDependency)]
    rows = tuple(
        TaskSnapshot(
            spec,
            states.get(spec.id, TaskState.RECOVERING if spec.id == task else TaskState.WAITING),
            "",
            None,
            dependencies=tuple(e for e in edges if e.successor == spec.id),
        )
        for spec in specs
    )
    run = RunSnapshot(RunId("r"), "digest x", 1, RunStatus.RUNNING, rows)
    return RevisionRequest(run, TaskId(task), cause, (), FLEET)


async def test_revision_replaces_and_adds_with_the_parameters_of_the_run(folder):
    plan = await ReferencePlanner([folder]).propose(asked())
    later = ReferencePlanner([folder])  # a coordinator that was started again

    batch = await later.revise(failed(plan, "a", "it is broken"))

    by_id = {each.task.id: each for each in batch.edits}
    assert isinstance(by_id["a"], ReplaceTask)
    assert isinstance(by_id["c"], AddTask)
    assert by_id["a"].task.args["name"] == "f-again"
    assert batch.base_revision == 1


async def test_a_task_that_no_longer_reads_the_failed_one_no_longer_waits_for_it(folder):
    (folder / "revisions" / "digests.yaml").write_text(
        "- {failed: a, tasks: [{id: b, skill: work.digest, args: {name: alone}}]}"
    )
    planner = ReferencePlanner([folder])
    request = failed(await planner.propose(asked()), "a", "it is broken")
    waiting = replace(request.snapshot.tasks[1], dependencies=(Dependency(A, B),))
    run = replace(request.snapshot, tasks=(request.snapshot.tasks[0], waiting))

    batch = await planner.revise(replace(request, snapshot=run))

    replaced, removed = batch.edits
    assert replaced.task.args == {"name": "alone"}
    assert removed == RemoveDependency(A, B)


async def test_an_edge_that_says_the_same_is_left_and_one_that_says_another_thing_is_changed(
    folder,
):
    (folder / "revisions" / "digests.yaml").write_text(
        "- failed: a\n  tasks: [{id: b, skill: work.digest, args: {name: x},"
        " after: [{task: a, on: failure}]}]"
    )
    for before, changes in ((On.FAILURE, []), (On.SUCCESS, [On.FAILURE])):
        planner = ReferencePlanner([folder])
        request = failed(await planner.propose(asked()), "a", "it is broken")
        waiting = replace(request.snapshot.tasks[1], dependencies=(Dependency(A, B, before),))
        run = replace(request.snapshot, tasks=(request.snapshot.tasks[0], waiting))
        _, *edges = (await planner.revise(replace(request, snapshot=run))).edits
        assert [edge.dependency.on for edge in edges] == changes


async def test_revision_is_used_once_and_only_for_what_it_names(folder):
    planner = ReferencePlanner([folder])
    plan = await planner.propose(asked())
    for task, cause in (("b", "it is broken"), ("a", "something else")):
        with pytest.raises(NoRevisionError):
            await planner.revise(failed(plan, task, cause))
    await planner.revise(failed(plan, "a", "it is broken"))
    with pytest.raises(NoRevisionError):
        await planner.revise(failed(plan, "a", "it is broken"))


async def test_a_planner_that_errs_lets_through_what_no_check_finds_alone(folder, erring):
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    drawn = [await erring(reference, wrong=0.5, seed=seed).propose(asked()) for seed in range(40)]
    wrong = [batch for batch in drawn if batch != right]
    assert len(wrong) < 10
    assert all(isinstance(each, EditBatch) for each in drawn)
    always = [await erring(reference, wrong=1.0, seed=seed).propose(asked()) for seed in range(20)]
    assert all(batch != right for batch in always)


async def test_after_a_wrong_plan_the_run_is_mended_to_fit_the_right_one(folder, erring):
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    bad = EditBatch(
        0, (right.edits[0], AddTask(TaskSpec(TaskId("b"), "work.digest", {"name": "?"})))
    )

    batch = await erring(reference, wrong=0.3, seed=0).revise(failed(bad, "b", "bad input"))

    assert ReplaceTask(right.edits[1].task) in batch.edits


async def test_answers_with_a_mistake_are_counted_found_or_not(folder, erring):
    reference = ReferencePlanner([folder])
    for run, wrong in (("right", 0.0), ("wrong", 1.0)):
        await erring(reference, wrong=wrong, seed=0).propose(asked(run))
    assert mistakes(folder, "right") == 0
    assert 1 <= mistakes(folder, "wrong") <= ROUNDS


async def test_revisions_have_mistakes_too_and_most_are_found(folder, erring):
    async def revised(wrong, seed):
        reference = ReferencePlanner([folder])
        plan = await reference.propose(asked())
        planner = erring(reference, wrong=wrong, seed=seed)
        return await planner.revise(failed(plan, "a", "it is broken"))

    right = await revised(0.0, 0)
    assert all([await revised(1.0, seed) != right for seed in range(10)])
    assert sum([await revised(0.3, seed) != right for seed in range(20)]) <= 3


async def test_parts_of_a_for_each_are_mended_with_the_whole_and_not_cancelled(folder, erring):
    (folder / "digests.yaml").write_text(
        PLAYBOOK.replace("{id: a, skill", '{id: a, for_each: {items: "${c.results}"}, skill')
        + "  - {id: c, skill: work.digest, args: {name: x}}\n"
    )
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    planner = erring(reference, wrong=0.3, seed=0)
    bad = AddTask(TaskSpec(B, "work.digest", {"name": "?"}))
    part = AddTask(TaskSpec(TaskId("a[0]"), "work.digest", {"name": "x"}))
    plan = EditBatch(0, (right.edits[0], right.edits[2], part, bad))

    with pytest.raises(NoRevisionError, match="what the plan says"):
        await planner.revise(failed(plan, "a[0]", "bad luck"))
    mended = await planner.revise(failed(plan, "b", "bad luck"))
    assert mended.edits == (ReplaceTask(right.edits[1].task),)


async def test_mending_leaves_a_branch_alone_that_was_not_taken_and_edges_what_they_are(
    folder, erring
):
    branches = (
        "  - {id: c, skill: work.digest, args: {name: x}, after: [{task: a, on: failure}]}\n"
        "  - {id: d, skill: work.digest, args: {name: x}, after: [{task: c, on: completion}]}\n"
    )
    (folder / "digests.yaml").write_text(PLAYBOOK + branches)
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    a, b, c, d, *edges = right.edits
    planner = erring(reference, wrong=0.3, seed=0)
    done = {A: TaskState.SUCCEEDED, TaskId("c"): TaskState.SKIPPED}

    bad = AddTask(replace(b.task, args={"name": "?"}))
    mended = await planner.revise(failed(EditBatch(0, (a, bad, c, d, *edges)), "b", "bad", done))
    assert mended.edits == (ReplaceTask(b.task),)

    other = AddDependency(Dependency(TaskId("c"), TaskId("d")))
    bad = EditBatch(0, (a, b, c, replace(d, task=replace(d.task, args={})), edges[0]))
    mended = await planner.revise(failed(bad, "d", "bad", done))
    assert mended.edits == (ReplaceTask(d.task), edges[1])
    assert edges[1] != other


async def test_what_no_plan_has_is_removed(folder, erring):
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    extra = AddTask(TaskSpec(TaskId("x"), "work.digest", {"name": "?"}))
    run = failed(EditBatch(0, (*right.edits, extra)), "x", "bad")
    batch = await erring(reference, wrong=0.3, seed=0).revise(run)
    assert batch.edits == (RemoveTask(TaskId("x")),)


async def test_a_run_that_is_what_the_plan_says_is_not_mended(folder, erring):
    reference = ReferencePlanner([folder])
    right = await reference.propose(asked())
    with pytest.raises(NoRevisionError, match="what the plan says"):
        await erring(reference, wrong=0.3, seed=0).revise(failed(right, "b", "bad luck"))


async def test_a_planner_that_does_not_err_has_nothing_to_say_beyond_its_revisions(folder, erring):
    reference = ReferencePlanner([folder])
    plan = await reference.propose(asked())
    with pytest.raises(NoRevisionError):
        await erring(reference, wrong=0.0, seed=0).revise(failed(plan, "b", "bad input"))


async def test_what_the_harness_writes_counts_from_the_next_answer_on(folder):
    planner = SuitePlanner([folder])
    free = await planner.propose(asked())
    PlannerControl(arm="static").write(folder)
    bound = await planner.propose(asked())

    assert {each.task.needs.device for each in free.edits} == {None}
    assert {each.task.needs.device for each in bound.edits} == {"server-1"}


class Answers:
    def __init__(self, *specs):
        self._batch = EditBatch(0, tuple(map(AddTask, specs)))

    async def propose(self, _request):
        return self._batch

    async def revise(self, _request):
        return self._batch


def spec(number, **more):
    return TaskSpec(TaskId(f"t{number}"), "work.digest", {"name": "x"}, **more)


@pytest.mark.parametrize(
    ("arm", "devices"),
    [
        ("ours", [None, None, None]),
        ("no_move", ["laptop", "server-1", "server-2"]),
        ("sequential", ["server-1", "server-1", "server-1"]),
    ],
)
async def test_arms_bind_tasks_as_they_say(arm, devices):
    planner = ArmPlanner(Answers(spec(1), spec(2), spec(3)), ARMS[arm])
    batch = await planner.propose(asked())
    assert [each.task.needs.device for each in batch.edits] == devices


async def test_a_list_schedule_uses_the_slower_device_once_the_fast_one_is_full():
    specs = [spec(n, needs=Needs(labels={"role": "server"})) for n in range(40)]
    batch = await ArmPlanner(Answers(*specs), ARMS["static"]).propose(asked())
    devices = [each.task.needs.device for each in batch.edits]
    assert devices[0] == "server-1"
    assert 8 <= devices.count("server-2") < devices.count("server-1")


async def test_what_runs_on_every_device_is_not_bound():
    everywhere = spec(1, for_each=ForEach(labels={"role": "server"}))
    batch = await ArmPlanner(Answers(everywhere), ARMS["static"]).propose(asked())
    assert batch.edits[0].task.needs.device is None


async def test_without_replanning_failures_are_not_answered():
    planner = ArmPlanner(Answers(spec(1)), ARMS["no_replanning"])
    plan = await planner.propose(asked())
    with pytest.raises(NoRevisionError):
        await planner.revise(failed(plan, "t1", "x"))
