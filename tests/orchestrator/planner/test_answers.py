"""What speaks against an answer, by what its question says."""

from dataclasses import replace

import pytest

from orchestrator.core.edits import CancelTask, EditBatch, Reason, ReplaceTask, SetArgs
from orchestrator.core.lifecycle import TaskState
from orchestrator.planner import DeviceView, PlanRequest, RevisionRequest
from orchestrator.planner.answers import ON_LOOP, against, judged, margin_s
from orchestrator.planner.refusals import sentence
from tests.orchestrator.planner.checks.plans import CARDS, add, run, task

FLEET = tuple(map(DeviceView, CARDS))
REQUEST = PlanRequest("r", "look at /var/log", fleet=FLEET)


def rules(request, batch, **more):
    return [each.rule for each in against(request, batch, **more)]


def revision(*rows, task="a", **more):
    return RevisionRequest(run(*rows), task, "broke", fleet=FLEET, **more)


def test_words_bind_only_who_made_the_plan_from_words():
    plan = add(task("a", args={"x": 1}))
    assert rules(REQUEST, plan) == []
    assert rules(REQUEST, plan, worded=True) == ["lost_literal"]


def test_advice_binds_only_who_made_the_plan_from_words():
    plan = add(task("a", "lok", args={"x": "/var/log"}))
    assert rules(REQUEST, plan) == []
    assert rules(REQUEST, plan, worded=True) == ["no_device"]


def test_who_forgot_the_order_of_two_tasks_with_one_file_is_told():
    writes = task("a", "write", args={"to": "/var/log"})
    plan = add(writes, task("b", args={"of": "/var/log"}))
    assert rules(REQUEST, plan) == []
    assert rules(REQUEST, plan, worded=True) == ["missing_dependency"]


def test_waste_binds_only_who_made_the_plan_from_words():
    plan = add(*(task(name, args={"x": "/var/log"}) for name in "ab"))
    assert rules(REQUEST, plan) == []
    assert rules(REQUEST, plan, worded=True) == ["duplicate_work"]


def test_advice_that_does_not_bind_speaks_against_nothing():
    plan = add(
        *(task(name, args={"x": "/var/log", "n": name}) for name in "abc"),
        edges=[("a", "b"), ("b", "c"), ("a", "c")],
    )
    assert rules(REQUEST, plan, worded=True) == []


def test_deliverables_bind_everybody():
    plan = add(task("a", args={"x": "/var/log"}))
    assert rules(replace(REQUEST, deliverables=("report",)), plan) == ["deliverable"]
    assert rules(replace(REQUEST, deliverables=("a",)), plan) == []


def test_a_revision_may_say_other_things_than_the_request_and_still_has_to_deliver():
    request = replace(revision((task("a"), {"state": TaskState.RECOVERING})), deliverables=("a",))
    mended = EditBatch(3, (ReplaceTask(task("a", args={"x": "/elsewhere"})),))
    assert rules(request, mended, worded=True) == []
    assert rules(request, EditBatch(3, (CancelTask("a"),)), worded=True) == ["deliverable"]


@pytest.mark.parametrize(
    ("state", "found"), [(TaskState.ACTIVE, ["started"]), (TaskState.WAITING, [])]
)
def test_what_has_started_may_only_be_cancelled(state, found):
    request = revision((task("a"), {"state": TaskState.RECOVERING}), (task("b"), {"state": state}))
    assert rules(request, EditBatch(3, (SetArgs("b", {"x": 1}),))) == found
    assert rules(request, EditBatch(3, (CancelTask("b"),))) == []


@pytest.mark.parametrize(("left_s", "found"), [(10.5, ["deadline"]), (10.6, []), (None, [])])
def test_a_plan_must_be_done_a_margin_before_its_deadline(left_s, found):
    assert rules(replace(REQUEST, deadline_s=left_s), add(task("a"))) == found


def test_the_margin_is_a_second_or_a_twentieth_of_what_is_left():
    assert [margin_s(left) for left in (2.0, 20.0, 1000.0)] == [0.1, 1.0, 1.0]
    [reason] = against(replace(REQUEST, deadline_s=10.0), add(task("a")))
    assert "would end 0.5 s after 0.5 s before the run's deadline, which is 9.5 s" in reason.detail


def test_who_says_nothing_of_how_long_it_takes_is_in_time():
    plan = add(*(task(f"t{n}", "unknown", args={"n": n}) for n in range(50)))
    assert rules(replace(REQUEST, deadline_s=0.5), plan) == []
    assert rules(replace(REQUEST, deadline_s=-1.0), add(task("a"))) == [], "it is being stopped"


def test_what_runs_takes_what_is_left_of_its_estimate():
    at_work = (task("b"), {"state": TaskState.ACTIVE, "device": "nas"})
    rows = (task("a"), {"state": TaskState.RECOVERING}), at_work
    mended = EditBatch(3, (ReplaceTask(task("a", args={"n": 1}, estimate_s=1.0)),))
    late = revision(*rows, deadline_s=5.0)
    assert rules(late, mended) == ["deadline"]
    assert rules(replace(late, ran_s={"b": 8.0}), mended) == []


async def test_a_large_answer_is_judged_alike():
    plan = add(*(task(f"t{n}", args={"n": n}) for n in range(ON_LOOP + 1)), task("t0"))
    assert [each.rule for each in await judged(REQUEST, plan)] == ["duplicate_task"]
    assert await judged(REQUEST, add(task("a"))) == ()


def test_reasons_are_one_line_of_the_first_few():
    reasons = tuple(Reason("r", None, f"reason\n {n}") for n in range(7))
    assert sentence(reasons) == ("reason 0; reason 1; reason 2; reason 3; reason 4; and 2 more")
