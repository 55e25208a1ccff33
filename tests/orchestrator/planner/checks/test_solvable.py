import math
from functools import partial

import pytest

from orchestrator.core.edits import EditBatch, SetArgs
from orchestrator.core.model import ForEach, Needs
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.solvable import lacking, solvable
from protocol.types import DeviceCard, Effect, ResourceNeed, SkillInfo
from tests.orchestrator.planner.checks.plans import add, judge, ref, run, task

ROWS = {"type": "object", "properties": {"rows": {"type": "array"}}}
CLOSED = {**ROWS, "additionalProperties": False}
GPU = DeviceCard(
    "gpu",
    labels={"role": "server"},
    capacity={"memory": 8.0},
    skills=(SkillInfo("open", output_schema=ROWS), SkillInfo("closed", output_schema=CLOSED)),
)
OLD = DeviceCard("old", skills=(SkillInfo("closed"), SkillInfo("look", effect=Effect.PURE)))
wrong = partial(judge, solvable, cards=(GPU,))
doubtful = partial(judge, lacking, cards=(GPU,))


def memory(*amounts):
    return Needs(
        resources=tuple(ResourceNeed("memory", f"k{n}", each) for n, each in enumerate(amounts))
    )


def test_a_path_that_the_source_cannot_have_is_a_reason():
    plan = add(task("a", "closed"), task("b", "open", args={"x": ref("a", "row")}))
    assert wrong(plan) == [("output", "b")]
    assert doubtful(plan) == []


def test_a_path_that_the_source_does_not_declare_is_advice():
    plan = add(task("a", "open"), task("b", "open", args={"x": ref("a", "row")}))
    assert wrong(plan) == []
    assert doubtful(plan) == [("output", "b")]


def test_one_device_that_may_have_the_path_is_enough():
    plan = add(task("a", "closed"), task("b", "open", args={"x": ref("a", "row")}))
    assert wrong(plan, cards=(GPU, OLD)) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("results",), []),
        (("missing", 0, "reason"), []),
        (("results", 0, "rows"), []),
        (("results", 0, "row"), [("output", "b")]),
        (("results", "rows"), [("output", "b")]),
        (("rows",), [("output", "b")]),
    ],
)
def test_what_ran_for_each_has_results_items_and_what_is_missing(path, found):
    many = task("a", "closed", for_each=ForEach(labels={"role": "server"}))
    assert wrong(add(many, task("b", "open", args={"x": ref("a", *path)}))) == found


def test_an_output_that_is_there_is_not_guessed_from_its_schema():
    done = (task("a", "closed"), {"state": "succeeded"})
    edit = EditBatch(3, (SetArgs("b", {"x": ref("a", "row")}),))
    assert wrong(edit, snapshot=run(done, task("b", "open"))) == []
    assert wrong(edit, snapshot=run(done[0], task("b", "open"))) == [("output", "b")]


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        (memory(8.0), []),
        (memory(8.1), [("capacity", "a")]),
        (memory(5.0, 5.0), [("capacity", "a")]),
        (Needs(resources=(ResourceNeed("memory", "k", 5.0),) * 2), []),
        (Needs(resources=(ResourceNeed("browser", "k", 1.0),)), [("capacity", "a")]),
    ],
)
def test_more_than_any_known_device_holds_is_advice(needs, found):
    plan = add(task("a", "open", needs=needs))
    assert wrong(plan) == []
    assert doubtful(plan) == found


@pytest.mark.parametrize("amount", [-1.0, math.nan, math.inf])
def test_an_amount_that_nothing_can_have_is_a_reason(amount):
    assert wrong(add(task("a", "open", needs=memory(amount)))) == [("capacity", "a")]


def test_labels_that_contradict_each_other_fit_no_device_ever():
    each = task("a", needs=Needs(labels={"os": "x"}), for_each=ForEach(labels={"os": "y"}))
    assert wrong(add(each)) == [("labels", "a")]


@pytest.mark.parametrize(
    ("skill", "own", "effect"),
    [
        ("look", None, Effect.PURE),
        ("look", Effect.ONCE, Effect.ONCE),
        ("closed", None, Effect.ONCE),
        ("unknown", None, Effect.ONCE),
    ],
)
def test_an_effect_is_the_tasks_own_or_the_worst_that_is_declared(skill, own, effect):
    assert Fleet([OLD]).effect(task("a", skill, effect=own)) is effect
    tame = DeviceCard("new", skills=(SkillInfo("closed", effect=Effect.PURE),))
    assert Fleet([tame, OLD]).effect(task("a", "closed")) is Effect.ONCE


def test_an_argument_that_no_device_knows_is_a_reason():
    strict = {"properties": {"path": {"type": "string"}}, "additionalProperties": False}
    card = DeviceCard("strict", skills=(SkillInfo("read", input_schema=strict),))
    assert wrong(add(task("a", "read", args={"pth": "x"})), cards=(card,)) == [("arguments", "a")]
    assert wrong(add(task("a", "read", args={"path": ref("b")})), cards=(card,)) == []


def test_another_fleet_is_asked_about_the_same_plan_anew():
    plan = Plan.of(add(task("a", "closed"), task("b", "look", args={"x": ref("a", "columns")})))
    for cards, found in (((GPU,), ["output"]), ((GPU, OLD), []), ((GPU,), ["output"])):
        assert [each.rule for each in solvable(plan, Fleet(cards))] == found
