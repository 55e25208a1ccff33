"""Who asks the planner: what is wrong with an answer goes back to it, from the present."""

import asyncio
import json

import pytest

from agents.simulated import Script, scripted
from orchestrator import EditRefusedError, ForEach, RunLimits
from orchestrator.coordinator import Coordinator
from orchestrator.core import events as e
from orchestrator.core.edits import AddTask, EditBatch, RemoveTask, ReplaceTask
from orchestrator.core.facts import (
    EditRefused,
    PlanAnswered,
    PlanAsked,
    RunEnded,
    RunStatus,
    RunSubmitted,
)
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Needs
from orchestrator.journal import MemoryJournal
from orchestrator.journal.codec import decode, encode
from orchestrator.library import DEFAULT_ADDRESS
from orchestrator.planner import PlanningError
from orchestrator.planner.playbook.plan import load
from orchestrator.planner.scripted import ScriptedPlanner
from orchestrator.planning import Scrutiny, nobody
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, FailureKind, ResourceNeed, RunId, SkillInfo
from tests.support.muster import muster, plan, spec, work

CYCLE = plan("a", "b", after=[("a", "b"), ("b", "a")])
WHOLE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
STRICT = scripted(
    "strict",
    Script(duration_s=1.0),
    info=SkillInfo("strict", "", WHOLE, effect=Effect.PURE, estimate_s=1.0),
)
FAILS = work("fails", permanent=1.0, duration_s=1.0)


async def outcome(planner, *, request="x", devices=None, **more):
    """Have a request planned and done, and return what came of it."""
    limits = more.pop("limits", RunLimits())
    deliverables = more.pop("deliverables", ())
    given = {"a": [work(), STRICT]} if devices is None else devices
    async with muster(given, planner=planner, **more) as (orchestrator, _):
        await asyncio.sleep(1)
        run = await orchestrator.submit(request, limits=limits, deliverables=deliverables)
        result = await run.result()
        return result, [entry.fact async for entry in run.events()]


async def test_what_is_wrong_goes_back_to_the_planner_as_data():
    wrong = plan(spec("a", "strict", args={"n": "two"}))
    planner = ScriptedPlanner([CYCLE, wrong, plan(spec("a", "strict", args={"n": 2}))])
    result, _ = await outcome(planner)
    assert result.succeeded, result.reason
    assert [[each.rule for each in asked.refused] for asked in planner.asked] == [
        [],
        ["cycle"],
        ["arguments"],
    ]
    assert "'two' is not of type 'integer'" in planner.asked[-1].refused[0].detail


async def test_who_answers_the_same_again_is_not_asked_a_third_time():
    planner = ScriptedPlanner(CYCLE)
    result, facts = await outcome(planner)
    assert len(planner.asked) == 2
    assert result.status is RunStatus.FAILED
    assert result.reason.startswith("no plan: its plan cannot be used: these tasks wait for each")
    assert "\n" not in result.reason
    assert not any(isinstance(fact, EditRefused) for fact in facts)


@pytest.mark.parametrize("repairs", [0, 1, 3])
async def test_a_planner_is_told_as_often_as_the_caller_wants(repairs):
    wrong = [plan(f"t{n}", after=[(f"t{n}", f"t{n}")]) for n in range(9)]
    planner = ScriptedPlanner(wrong)
    result, _ = await outcome(planner, scrutiny=Scrutiny(repairs))
    assert len(planner.asked) == 1 + repairs
    assert not result.succeeded


async def test_all_answers_to_a_question_come_within_its_time():
    wrong = [plan(f"t{n}", after=[(f"t{n}", f"t{n}")]) for n in range(9)]
    planner = ScriptedPlanner(wrong, delay_s=4.0)
    result, _ = await outcome(planner, limits=RunLimits(plan_s=10.0), scrutiny=Scrutiny(8))
    assert result.reason == "no plan: the planner did not answer within 10 s"
    assert len(planner.asked) == 3


async def test_what_only_the_engine_refuses_goes_back_too():
    need = ResourceNeed("", "k", 1.0)
    planner = ScriptedPlanner([plan(spec("a", needs=Needs(resources=(need,)))), plan("a")])
    result, _ = await outcome(planner)
    assert result.succeeded, result.reason
    assert [each.rule for each in planner.asked[1].refused] == ["resource"]


async def test_advice_refuses_nothing():
    planner = ScriptedPlanner(plan("a", "b", "c", after=[("a", "b"), ("b", "c"), ("a", "c")]))
    result, _ = await outcome(planner, devices={"a": [work(effect=Effect.ONCE)]})
    assert result.succeeded, result.reason
    assert len(planner.asked) == 1


async def test_a_plan_for_devices_to_come_is_taken():
    planner = ScriptedPlanner(plan(spec("a", "strict", args={"n": "two"})))
    async with muster({}, planner=planner) as (orchestrator, _):
        run = await orchestrator.submit("x")
        await asyncio.sleep(0.1)
        assert run.snapshot().revision == 1


async def test_a_planner_knows_what_must_come_and_when():
    planner = ScriptedPlanner([plan("a"), plan(spec("b", "strict", args={"n": 1}))])
    limits = RunLimits(deadline_s=60.0)
    result, _ = await outcome(planner, limits=limits, deliverables=["b"])
    assert result.succeeded, result.reason
    assert [asked.deliverables for asked in planner.asked] == [("b",)] * 2
    assert all(59.0 < asked.deadline_s <= 60.0 for asked in planner.asked)
    assert [each.rule for each in planner.asked[1].refused] == ["deliverable"]


async def test_a_plan_that_cannot_be_done_in_time_goes_back():
    late = plan(*(spec(f"t{n}", "strict", args={"n": n}) for n in range(9)))
    planner = ScriptedPlanner([late, plan(spec("a", "strict", args={"n": 1}))])
    result, _ = await outcome(planner, limits=RunLimits(deadline_s=4.0))
    assert result.succeeded, result.reason
    assert [each.rule for each in planner.asked[1].refused] == ["deadline"]


async def test_answers_are_not_judged_where_the_caller_does_not_want_it():
    wrong = plan(spec("a", "strict", args={}))
    refused, _ = await outcome(ScriptedPlanner(wrong))
    assert "the argument 'n' is missing" in refused.reason
    taken, _ = await outcome(
        ScriptedPlanner(wrong), devices={"a": [STRICT]}, scrutiny=Scrutiny(judge=nobody)
    )
    assert not taken.reason.startswith("no plan")


async def test_a_run_does_not_fail_for_work_that_is_done_twice():
    planner = ScriptedPlanner(plan(spec("a", args={"n": 1}), spec("b", args={"n": 1})))
    result, _ = await outcome(planner)
    assert result.succeeded, result.reason
    assert len(planner.asked) == 1


async def test_a_large_plan_is_judged_while_others_go_on():
    tasks = [spec(f"t{n}", args={"n": n}) for n in range(2000)]
    planner = ScriptedPlanner([plan(*tasks, spec("t0")), PlanningError("no more")])
    result, _ = await outcome(planner)
    assert result.reason == "no plan: no more"
    assert [each.rule for each in planner.asked[1].refused] == ["duplicate_task"]


# Revisions


def mending(*revisions, delay_s=0.0):
    """Plan `t`, which fails, and `u` after it; `v` beside them takes long."""
    first = plan(spec("t", "fails"), "u", spec("v", "slow"), after=[("t", "u")])
    return ScriptedPlanner(first, revisions, delay_s=delay_s)


FLEET = {"a": [FAILS, work()], "b": [work("slow", duration_s=60.0)]}


def replaced(**args):
    return lambda request: EditBatch(
        request.snapshot.revision, (ReplaceTask(spec("t", args=args)),)
    )


async def test_a_planner_is_told_what_kind_of_failure_it_is_to_mend():
    planner = mending(replaced())
    result, facts = await outcome(planner, devices=FLEET)
    assert result.succeeded, result.reason
    assert planner.asked[-1].kind == FailureKind.SKILL_ERROR
    assert [fact.kind for fact in facts if isinstance(fact, PlanAsked)] == ["", "skill_error"]


def doubled(request):
    """Answer what cannot be used: it is asked for again."""
    return EditBatch(request.snapshot.revision, (AddTask(spec("u")),))


async def edited_by_ann(planner, edit):
    """Have ann edit a run while the planner mends it; return how it ends: result, facts, tasks."""
    async with muster(FLEET, planner=planner) as (orchestrator, _):
        await asyncio.sleep(1)
        run = await orchestrator.submit("x")
        await asyncio.sleep(8)
        await run.edit(EditBatch(1, (edit,)), by="ann")
        result = await run.result()
        assert result.succeeded, result.reason
        facts = [entry.fact async for entry in run.events()]
        return result, facts, {row.spec.id: row.spec for row in run.snapshot().tasks}


async def test_a_revision_that_is_wrong_goes_back_and_sees_the_present():
    planner = mending(doubled, replaced(n=1), delay_s=5.0)
    await edited_by_ann(planner, AddTask(spec("w")))
    first, again = planner.asked[1:]
    assert [each.rule for each in again.refused] == ["duplicate_task"]
    assert (first.snapshot.revision, again.snapshot.revision) == (1, 2)


async def test_an_edit_by_a_person_beside_a_revision_leaves_both_standing():
    planner = mending(replaced(n=1), delay_s=5.0)
    result, facts, _ = await edited_by_ann(planner, AddTask(spec("w")))
    assert {"u", "v", "w"} == set(result.outputs)
    assert all(fact.ok for fact in facts if isinstance(fact, PlanAnswered))


async def test_an_answer_about_what_a_person_changed_is_refused_whole_and_asked_anew():
    def both(request):
        edits = (ReplaceTask(spec("t")), ReplaceTask(spec("u", args={"by": "planner"})))
        return EditBatch(request.snapshot.revision, edits)

    planner = mending(both, replaced(n=2), delay_s=5.0)
    edit = ReplaceTask(spec("u", args={"by": "ann"}))
    _, facts, tasks = await edited_by_ann(planner, edit)
    assert [each.reasons[0].rule for each in facts if isinstance(each, EditRefused)] == ["stale"]
    assert tasks["u"].args == {"by": "ann"}
    assert tasks["t"].args == {"n": 2}
    assert planner.asked[-1].snapshot.revision == 2
    assert planner.asked[-1].kind == FailureKind.SKILL_ERROR


MENDED_OR_TAKEN_AWAY = pytest.mark.parametrize(
    "edit", [RemoveTask("t"), ReplaceTask(spec("t", args={"by": "ann"}))]
)


@MENDED_OR_TAKEN_AWAY
async def test_an_answer_about_what_a_person_mended_or_took_away_changes_nothing(edit):
    planner = mending(replaced(by="planner"), delay_s=5.0)
    _, _, tasks = await edited_by_ann(planner, edit)
    assert tasks.get("t", spec("t", args={"by": "ann"})).args == {"by": "ann"}
    assert len(planner.asked) == 2


@MENDED_OR_TAKEN_AWAY
async def test_who_would_be_asked_again_about_what_a_person_took_away_is_left_alone(edit):
    planner = mending(doubled, replaced(n=1), delay_s=5.0)
    await edited_by_ann(planner, edit)
    assert len(planner.asked) == 2


async def test_several_revisions_are_in_flight_on_different_parts_of_a_graph():
    def one(request):
        mended = ReplaceTask(spec(request.task, args={"for": request.task}))
        return EditBatch(request.snapshot.revision, (mended,), (request.task,))

    first = plan(*(spec(f"t{n}", "fails", args={"n": n}) for n in range(3)))
    planner = ScriptedPlanner(first, [one] * 3, delay_s=20.0)
    began = asyncio.get_running_loop().time()
    result, facts = await outcome(planner, devices=FLEET)
    assert result.succeeded, result.reason
    assert asyncio.get_running_loop().time() - began < 20.0 + 20.0 + 10.0, "side by side"
    assert not any(isinstance(fact, EditRefused) for fact in facts)


# A person's own plans and edits


BOTH = spec("a", needs=Needs(labels={"os": "a"}), for_each=ForEach(labels={"os": "b"}))


@pytest.mark.parametrize("others", [0, 300])
async def test_a_plan_that_contradicts_itself_is_refused_with_reasons(others):
    async with muster({}) as (orchestrator, _):
        with pytest.raises(EditRefusedError, match="drop one"):
            await orchestrator.submit("x", plan=plan(BOTH, *(f"t{n}" for n in range(others))))
        assert not orchestrator.runs()
        run = await orchestrator.submit("x", plan=plan("t"))
        with pytest.raises(EditRefusedError, match="drop one"):
            await run.edit(EditBatch(1, (AddTask(BOTH),)))


async def test_a_person_may_ask_for_what_looks_odd_or_what_nobody_can_do_yet():
    async with muster({"a": [work(), STRICT]}) as (orchestrator, _):
        await asyncio.sleep(1)
        twice = plan("a", "b", spec("c", "to-come"), spec("d", "strict", args={"n": "two"}))
        run = await orchestrator.submit("x", plan=twice)
        await asyncio.sleep(2)
        states = {row.spec.id: row.state for row in run.snapshot().tasks}
        assert states["a"] is states["b"] is TaskState.SUCCEEDED


# The end of a run


async def test_the_end_of_a_run_is_told_once_when_it_is_durable():
    told = []
    async with MemoryJournal() as journal, asyncio.TaskGroup() as group:
        coordinator = Coordinator(
            MemoryBroker().transport("c"),
            journal=journal,
            planner=None,
            address=DEFAULT_ADDRESS,
            ended=lambda run: told.append((run, journal.durable)),
        )
        ready = asyncio.Event()
        running = group.create_task(coordinator.run(ready=ready.set))
        await ready.wait()
        coordinator.handle(e.Submit(RunId("r"), "k", "x"))
        await asyncio.sleep(1)
        coordinator.handle(e.CancelRun(RunId("r"), "too late"))
        await asyncio.sleep(1)
        running.cancel()
        entries = await journal.entries(run=RunId("r"))
    [end] = [entry.seq for entry in entries if isinstance(entry.fact, RunEnded)]
    [(run, durable)] = told
    assert run == "r"
    assert durable >= end


# Facts of an older release


def test_what_an_older_release_wrote_is_read():
    kind, run, task, body = encode(PlanAsked("r", "r/0", "t", "broke", 1.0, "bad_input"))
    old = json.dumps({key: value for key, value in json.loads(body).items() if key != "kind"})
    assert decode((kind, run, task, old)) == PlanAsked("r", "r/0", "t", "broke", 1.0)
    submitted = RunSubmitted("r", "k", "x", "", 0, RunLimits(), None, 1, 0.0, 0.0, ("a",))
    kind, run, task, body = encode(submitted)
    old = {key: value for key, value in json.loads(body).items() if key != "deliverables"}
    assert decode((kind, run, task, json.dumps(old))).deliverables == ()
    assert decode((kind, run, task, body)) == submitted


# Results that nobody expected

COUNTING = """
name: counting
description: Count, then work on it.
match: [count]
parameters:
  most: {description: What is usual., type: integer, default: 10}
tasks:
  - {id: t, skill: count, expect: {path: n, op: lt, value: "${most}"}}
  - {id: u, skill: work, args: {of: "${t.n}"}}
"""


async def test_a_playbook_says_what_it_expects_and_the_plan_is_revised_before_that_is_used():
    book = load(COUNTING, "counting.yaml")

    def more(request):
        return EditBatch(request.snapshot.revision, (RemoveTask("u"), AddTask(spec("w"))))

    planner = ScriptedPlanner(book.plan({}), [more])
    result, facts = await outcome(
        planner, devices={"a": [work("count", output={"n": 50}), work()]}
    )
    assert result.succeeded, result.reason
    assert result.outputs.keys() == {"t", "w"}
    assert planner.asked[-1].kind == "information"
    assert [fact.kind for fact in facts if isinstance(fact, PlanAsked)] == ["", "information"]


async def test_a_plan_without_a_planner_goes_on_with_what_nobody_expected():
    batch = load(COUNTING, "counting.yaml").plan({})
    async with muster({"a": [work("count", output={"n": 50}), work()]}) as (orchestrator, _):
        await asyncio.sleep(1)
        result = await (await orchestrator.submit("x", plan=batch)).result()
    assert result.succeeded, result.reason
    assert result.outputs.keys() == {"u"}
