"""What a plan expects of outputs, and makes depend on them: is there room for it at all?"""

from functools import partial

import jsonschema
import pytest
from hypothesis import given

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveTask,
    ReplaceTask,
)
from orchestrator.core.model import Dependency, ForEach, On, Op, Predicate, TaskSpec
from orchestrator.core.predicates import holds
from orchestrator.planner.checks import advise, check
from orchestrator.planner.checks.solvable import lacking, solvable
from protocol.types import DeviceCard, SkillInfo
from tests.orchestrator.planner.checks.plans import add, judge, run, task
from tests.orchestrator.planner.checks.test_outputs import PARTS

ROWS = {"type": "object", "properties": {"rows": {"type": "array"}}}
CLOSED = {**ROWS, "additionalProperties": False}
SKILLS = (
    SkillInfo("open", output_schema=ROWS),
    SkillInfo("closed", output_schema=CLOSED),
    SkillInfo("free"),
    SkillInfo("empty", output_schema={}),
    SkillInfo("nothing", output_schema=False),
)
GPU = DeviceCard("gpu", skills=SKILLS)
OTHER = DeviceCard("other", skills=(SkillInfo("closed"),))
wrong = partial(judge, solvable, cards=(GPU,))
doubtful = partial(judge, lacking, cards=(GPU,))


def expecting(skill, *path, op=Op.TRUTHY, **more):
    return task("a", skill, expect=Predicate(path, op), **more)


def when(*path):
    return [("a", "b", On.WHEN, Predicate(path, Op.EXISTS))]


@pytest.mark.parametrize("op", Op)
def test_an_expectation_that_no_output_can_meet_is_a_reason(op):
    assert wrong(add(expecting("closed", "row", op=op))) == [("output", "a")]
    assert wrong(add(expecting("closed", "rows", "first", op=op))) == [("output", "a")]
    assert wrong(add(expecting("closed", "rows", 0, op=op))) == []


@pytest.mark.parametrize("skill", ["free", "empty", "unheard-of"])
def test_where_nothing_is_declared_anything_may_be_expected(skill):
    plan = add(expecting(skill, "row"), task("b"), edges=when("x", 0))
    assert wrong(plan) == []
    assert doubtful(add(expecting("free", "row"))) == []


def test_the_whole_of_an_output_may_always_be_expected():
    assert wrong(add(expecting("nothing"), task("b", "free"), edges=when())) == []


def test_what_is_not_declared_and_not_ruled_out_is_advice():
    assert wrong(add(expecting("open", "row"))) == []
    assert doubtful(add(expecting("open", "row"))) == [("output", "a")]


def test_one_device_that_may_answer_so_is_enough():
    assert wrong(add(expecting("closed", "row")), cards=(GPU, OTHER)) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [(("results", 0, "rows"), []), (("results", 0, "row"), [("output", "a")]),
     (("rows",), [("output", "a")]), (("missing",), [])],
)  # fmt: skip
def test_of_a_task_that_runs_for_each_the_join_is_expected(path, found):
    assert wrong(add(expecting("closed", *path, for_each=ForEach()))) == found


def test_a_dependency_on_what_cannot_be_there_is_a_reason():
    plan = partial(add, task("a", "closed"), task("b", "free"))
    assert wrong(plan(edges=when("row"))) == [("output", "b")]
    assert wrong(plan(edges=when("rows"))) == []


def test_only_what_the_batch_writes_is_judged_and_no_output_that_is_there():
    edges, a, b = when("row"), task("a", "closed"), task("b", "free")
    before = run(expecting("closed", "row"), b, edges=edges)
    assert wrong(EditBatch(3, (AddTask(task("c", "free")),)), snapshot=before) == []
    for touched in (a, b):
        assert wrong(EditBatch(3, (ReplaceTask(touched),)), snapshot=before) == [("output", "b")]
    drawn = EditBatch(3, (AddDependency(Dependency(*edges[0])),))
    assert wrong(drawn, snapshot=run(a, b)) == [("output", "b")]
    assert wrong(drawn, snapshot=run((a, {"state": "succeeded"}), b)) == []
    gone = EditBatch(3, (RemoveTask("b"), CancelTask("a")))
    assert wrong(gone, snapshot=before) == []
    assert wrong(add(b, edges=edges)) == [], "what is not there is another rule's"


def test_the_complaint_says_who_expects_what_of_whom_and_what_to_do():
    (reason,) = check(add(expecting("closed", "rows", "n")), (GPU,))
    said = "task 'a' expects 'rows.n' of itself (skill 'closed'), and its output cannot have that"
    assert reason.detail == f"{said}: expect something else, or nothing"
    details = [each.detail for each in advise(add(expecting("open", "n")), (GPU,))]
    assert any("its skill does not declare that" in each for each in details)


STEPS = ("a", "b", 0, -1)
PATHS = [(one, *more) for one in STEPS for more in [(), *((two,) for two in STEPS)]]
LEAVES = (None, "ab", {}, [])
POOL = [
    *LEAVES,
    *({"a": leaf} for leaf in (*LEAVES, {"b": None}, ["ab"])),
    *([leaf] for leaf in (*LEAVES, {"a": None}, [None])),
    {"a": None, "b": {"a": "ab"}},
]


@given(PARTS)
def test_whatever_a_valid_output_meets_is_never_refused(schema):
    """Brute force: outputs of the schema are tried against the predicate itself."""
    reader = jsonschema.Draft202012Validator(schema)
    valid = [value for value in POOL if reader.is_valid(value)]
    card = DeviceCard("d", skills=(SkillInfo("s", output_schema=schema),))
    for path in PATHS:
        expect = Predicate(path, Op.EXISTS)
        if any(holds(expect, value) for value in valid):
            waits = [("a", "b", On.WHEN, expect)]
            plan = add(TaskSpec("a", "s", expect=expect), TaskSpec("b", "s"), edges=waits)
            assert wrong(plan, cards=(card,)) == []
