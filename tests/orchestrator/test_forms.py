"""What programs hand in is looked at before the engine sees it: one wrong type harms no other."""

from pathlib import Path

import pytest

from orchestrator import Orchestrator
from orchestrator.client import CallFailedError
from orchestrator.core import events as e
from orchestrator.core.edits import AddDependency, AddTask, EditBatch, SetArgs
from orchestrator.core.errors import OrchestratorError, RequestError
from orchestrator.core.model import (
    Dependency,
    ForEach,
    Limits,
    Needs,
    Op,
    Predicate,
    RunLimits,
    TaskSpec,
)
from orchestrator.forms import check_form, not_json
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, FailureKind, ResourceNeed, Succeeded
from tests.support.muster import muster, plan, work
from tests.support.service import served


def edit(**more):
    return EditBatch(0, (AddTask(TaskSpec("a", "s", **more)),))


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ([], "plan: EditBatch is expected, got []"),
        (EditBatch("0", ()), "plan.base_revision: a whole number is expected, got '0'"),
        (EditBatch(base_revision=True, edits=()), "base_revision: a whole number is expected"),
        (EditBatch(0, {}), "plan.edits: a tuple is expected, got {}"),
        (EditBatch(0, (TaskSpec("a", "s"),)), "plan.edits.0: AddTask or RemoveTask or Replace"),
        (EditBatch(0, (AddTask("a"),)), "plan.edits.0.task: TaskSpec is expected, got 'a'"),
        (EditBatch(0, (), "abc"), "plan.reads: a tuple is expected, got 'abc'"),
        (edit(args=[1]), "plan.edits.0.task.args: a mapping from text is expected, got [1]"),
        (edit(args={1: 2}), "plan.edits.0.task.args: a mapping from text is expected, got {1: 2}"),
        (edit(limits={"run_s": 1}), "plan.edits.0.task.limits: Limits is expected"),
        (edit(limits=Limits(attempts=1.0)), "attempts: a whole number is expected, got 1.0"),
        (edit(limits=Limits(run_s="1")), "limits.run_s: a number is expected, got '1'"),
        (edit(limits=Limits(run_s=True)), "limits.run_s: a number is expected, got True"),
        (edit(effect="once"), "task.effect: a member of Effect or None is expected, got 'once'"),
        (edit(needs=Needs(labels={"a": 1})), "task.needs.labels.a: text is expected, got 1"),
        (edit(needs=Needs(device=3)), "task.needs.device: text or None is expected, got 3"),
        (edit(needs=Needs(resources=("m",))), "resources.0: ResourceNeed is expected, got 'm'"),
        (edit(for_each=ForEach(min_success="1")), "for_each.min_success: a whole number or None"),
        (edit(expect=Predicate("rows", Op.EQ)), "expect.path: a tuple is expected, got 'rows'"),
        (EditBatch(0, (AddDependency(Dependency("a", "b", "when")),)),
         "plan.edits.0.dependency.on: a member of On is expected, got 'when'"),
        (EditBatch(0, (SetArgs("a", None),)), "plan.edits.0.args: a mapping from text is expect"),
    ],
)  # fmt: skip
def test_a_part_that_is_not_what_its_type_says_is_named(batch, said):
    with pytest.raises(RequestError) as caught:
        check_form(batch, EditBatch, "plan")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 250


def test_whatever_is_as_its_types_say_passes():
    need = ResourceNeed("model", "m", 8)
    spec = TaskSpec(
        "a", "s", {"x": [1, None, {"y": 2.5}]},
        needs=Needs("d", {"role": "server"}, (need,)), limits=Limits(run_s=5, attempts=1),
        effect=Effect.ONCE, estimate_s=3, for_each=ForEach({"$from": "b"}, {}, 1),
        expect=Predicate(("rows", 0), Op.TRUTHY),
    )  # fmt: skip
    check_form(EditBatch(0, [AddTask(spec)], ["b"]), EditBatch)
    check_form(e.SettleUnknown("r", "t", Succeeded(1), "me"), e.SettleUnknown)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (edit(args={"x": [1, {"y": {1, 2}}]}), "edits.0.task.args.x.1.y"),
        (edit(args={"x": float("nan")}), "edits.0.task.args.x"),
        (edit(args={"x": 1, "y": None, "z": "", "w": 1.5}), None),
        (Path(), ""),
    ],
)
def test_what_is_no_json_is_found(value, place):
    assert not_json(value) == place


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"request": " ", "plan": None}, "the request is blank: say in words"),
        ({"request": 5}, "Submit.request: text is expected, got 5"),
        ({"plan": [1]}, "plan: EditBatch is expected, got [1]"),
        ({"plan": edit(limits=Limits(attempts=0))}, "limits.attempts is 0"),
        ({"plan": edit(args={"x": {1}})}, "plan.edits.0.task.args.x: this is not JSON: set is"),
        ({"parameters": {"a": b"x"}}, "parameters.a: this is not JSON"),
        ({"priority": "high"}, "Submit.priority: a whole number is expected, got 'high'"),
        ({"owner": None}, "Submit.owner: text is expected, got None"),
        ({"deliverables": "report"}, "deliverables: write a list of names, such as ['report']"),
        ({"deliverables": [1]}, "Submit.deliverables.0: text is expected, got 1"),
        ({"limits": {"plan_s": 1}}, "limits: RunLimits is expected, got {'plan_s': 1}"),
        ({"limits": RunLimits(deadline_s=-1)}, "limits.deadline_s: write a number greater than 0"),
        ({"limits": RunLimits(plan_s=float("inf"))}, "limits.plan_s: write a number greater"),
        ({"limits": RunLimits(revisions=-1)}, "limits.revisions: write a number of at least 0"),
    ],
)
async def test_a_senseless_submission_is_refused_and_harms_no_other(change, said):
    async with muster({"d": [work()]}) as (orchestrator, _):
        given = {"request": "x", "plan": plan("a"), **change}
        with pytest.raises(RequestError) as caught:
            await orchestrator.submit(given.pop("request"), **given)
        assert said in str(caught.value)
        assert orchestrator.runs() == ()
        run = await orchestrator.submit("x", plan=plan("a"))
        with pytest.raises(RequestError, match="plan: EditBatch is expected, got None"):
            await run.edit(None)
        with pytest.raises(RequestError, match=r"SettleUnknown\.outcome: Succeeded or Failed"):
            await run.settle("a", "done")
        assert (await run.result()).succeeded


async def test_who_is_not_entered_yet_takes_nothing():
    orchestrator = Orchestrator(MemoryBroker().transport("c"))
    with pytest.raises(OrchestratorError, match="enter it first: async with Orchestrator"):
        await orchestrator.submit("x", plan=plan("a"))


async def test_what_a_client_cannot_say_is_told_with_its_place():
    async with served() as (_, client):
        with pytest.raises(CallFailedError) as caught:
            await client.call("submit", {"request": "x", "parameters": {"a": [float("inf")]}})
    assert str(caught.value).startswith("submit: parameters.a.0: this cannot be sent: ")
    assert caught.value.kind is FailureKind.BAD_INPUT
