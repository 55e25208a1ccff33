from functools import partial

import pytest

from orchestrator.core.edits import EditBatch, SetArgs
from orchestrator.core.model import Needs, On, Op, Predicate
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.redundant import MOST_TASKS, needless, redundant, unordered
from protocol.types import Effect
from tests.orchestrator.planner.checks.plans import add, judge, ref, run, task

twice = partial(judge, redundant)
edges = partial(judge, lambda plan, _: needless(plan))
files = partial(judge, unordered)
SAME = {"path": "x", "deep": [1, {"y": "z"}]}


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (task("b", args=SAME), [("duplicate_work", "b")]),
        (task("b", args={"deep": SAME["deep"], "path": "x"}), [("duplicate_work", "b")]),
        (task("b", args={**SAME, "path": "y"}), []),
        (task("b", args={**SAME, "deep": [2, {"y": "z"}]}), []),
        (task("b", args={**SAME, "deep": [{"y": "z"}, 1]}), []),
        (task("b", "write", args=SAME), []),
        (task("b", args=SAME, needs=Needs("nas")), []),
        (task("b", args=SAME, effect=Effect.ONCE), []),
    ],
)
def test_the_same_work_at_the_same_moment_is_done_once(other, found):
    assert twice(add(task("a", args=SAME), other)) == found


@pytest.mark.parametrize("skill", ["send", "unknown"])
def test_what_has_an_effect_may_be_meant_twice(skill):
    assert twice(add(task("a", skill), task("b", skill))) == []


def test_looking_again_after_something_happened_is_no_duplicate():
    plan = add(task("a"), task("act", "send"), task("b"), edges=[("a", "act"), ("act", "b")])
    assert twice(plan) == []
    assert twice(add(task("a"), task("act", "send"), task("b"), edges=[("a", "act")])) == [
        ("duplicate_work", "b")
    ]


def test_of_an_edit_only_what_it_writes_is_a_duplicate():
    before = run(task("a"), task("b"))
    assert twice(add(task("c", args={"x": 1})), snapshot=before) == []
    assert twice(add(task("c")), snapshot=before) == [("duplicate_work", "c")]
    rewritten = EditBatch(3, (SetArgs("a", {}),))
    assert twice(rewritten, snapshot=run(task("a", args={"x": 1}), task("b"))) == [
        ("duplicate_work", "a")
    ]


def test_a_part_of_a_loop_is_nobodys_twin():
    part = (task("a[0]"), {"parent": "a", "state": "succeeded"})
    assert twice(add(task("b")), snapshot=run(task("a", "write"), part)) == []


def test_work_that_failed_may_be_done_again():
    assert twice(add(task("b")), snapshot=run((task("a"), {"state": "failed"}))) == []


def test_a_task_that_leads_to_nothing_wanted_is_dead():
    plan = add(
        task("a"),
        task("b", args={"x": ref("a")}),
        task("c", args={"y": 1}),
        task("d", args={"x": ref("c")}),
        task("e", "send", args={"x": ref("c")}),
    )
    assert twice(plan, ("b",)) == [("dead_task", "d")]
    assert twice(plan, ("d",)) == [("dead_task", "b"), ("dead_task", "a")]
    assert twice(plan) == []


def test_only_what_an_edit_writes_is_called_dead():
    assert twice(
        add(task("c", args={"x": 1})), ("b",), snapshot=run(task("a"), task("b", "send"))
    ) == [("dead_task", "c")]


CHAIN = (task("a"), task("b"), task("c"))


@pytest.mark.parametrize(
    ("drawn", "found"),
    [
        ([("a", "b"), ("b", "c"), ("a", "c")], [("needless_edge", "c")]),
        ([("a", "b"), ("b", "c"), ("a", "c", On.COMPLETION)], [("needless_edge", "c")]),
        ([("a", "b"), ("b", "c"), ("a", "c", On.FAILURE)], []),
        ([("a", "b", On.COMPLETION), ("b", "c"), ("a", "c")], []),
        ([("a", "b"), ("b", "c", On.COMPLETION), ("a", "c")], []),
        (
            [("a", "b", On.WHEN, Predicate((), Op.TRUTHY)), ("b", "c"), ("a", "c")],
            [("needless_edge", "c")],
        ),
        ([("a", "b"), ("a", "c")], []),
        ([("a", "b"), ("b", "c"), ("a", "gone"), ("gone", "c")], []),
    ],
)
def test_a_dependency_that_follows_from_others_is_advice(drawn, found):
    assert edges(add(*CHAIN, edges=drawn)) == found


def test_an_edge_over_which_data_flow_is_needed():
    plan = add(
        task("a"),
        task("b"),
        task("c", args={"x": ref("a")}),
        edges=[("a", "b"), ("b", "c"), ("a", "c")],
    )
    assert edges(plan) == []


def test_only_edges_that_an_edit_draws_are_judged():
    old = [("a", "b"), ("b", "c"), ("a", "c")]
    assert edges(add(task("d")), snapshot=run(*CHAIN, edges=old)) == []
    assert edges(add(edges=[("a", "c")]), snapshot=run(*CHAIN, edges=old[:2])) == [
        ("needless_edge", "c")
    ]


FILE = {"path": "out/report.csv"}


@pytest.mark.parametrize(
    ("other", "drawn", "found"),
    [
        (task("b", args=FILE), [], [("missing_dependency", "b")]),
        (task("b", args=FILE), [("a", "b")], []),
        (task("b", args=FILE), [("b", "a")], []),
        (task("b", args=FILE), [("a", "m"), ("m", "b", On.COMPLETION)], []),
        (task("b", args={**FILE, "x": ref("a")}), [], []),
        (task("b", args=FILE, needs=Needs("pi")), [], []),
        (
            task("b", "write", args=FILE),
            [],
            [("missing_dependency", "a"), ("missing_dependency", "b")],
        ),
        (task("b", args={"path": "other.csv"}), [], []),
    ],
)
def test_a_file_that_another_task_writes_is_waited_for(other, drawn, found):
    assert files(add(task("a", "write", args=FILE), task("m"), other, edges=drawn)) == found


def test_words_are_no_files_and_reading_is_no_writing():
    assert files(add(task("a", "write", args={"x": "word"}), task("b", args={"x": "word"}))) == []
    assert files(add(task("a", args=FILE), task("b", args={**FILE, "x": 1}))) == []


def test_a_file_that_is_written_already_is_only_told_to_what_is_new():
    before = run(task("a", "write", args=FILE), task("b", args=FILE))
    assert files(add(task("c", args=FILE)), snapshot=before) == [("missing_dependency", "c")]


def test_a_very_large_plan_gets_no_advice_on_its_edges():
    many = [task(f"t{n}", "write", args=FILE) for n in range(MOST_TASKS - 2)]
    small = add(*CHAIN[:2], *many[:1], edges=[("a", "b")])
    large = add(*CHAIN, *many, edges=[("a", "b"), ("b", "c"), ("a", "c")])
    assert len(Plan.of(large).specs) == MOST_TASKS + 1
    assert edges(large) == files(large) == []
    assert edges(small) == []
