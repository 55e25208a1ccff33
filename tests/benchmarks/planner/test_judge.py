from dataclasses import replace

import pytest

from benchmarks.planner.judge import completed, right
from benchmarks.planner.requests import cases
from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from tests.benchmarks.planner.builders import row, run

CASE = replace(
    cases(0, 1)[0],
    answer=({"name": "total", "value": 7}, {"to": "a@b.c", "names": ["total"]}),
)
TOTAL, TOLD = (
    row("p", {"name": "total", "value": 7}),
    row("a", {"to": "a@b.c", "names": ["total"]}),
)


def test_the_known_answer_is_right_whatever_else_was_computed():
    assert right(CASE, run(row("t", {"value": 7}), row("n"), TOLD, TOTAL))


def test_the_status_of_the_run_says_nothing():
    assert right(CASE, run(TOTAL, TOLD, status=RunStatus.FAILED))
    assert not right(CASE, run(TOTAL, status=RunStatus.SUCCEEDED))


def test_the_same_twice_is_once():
    assert right(CASE, run(TOTAL, TOLD, row("again", {"name": "total", "value": 7})))


@pytest.mark.parametrize(
    "wrong",
    [
        (row("p", {"name": "total", "value": 8}), TOLD),
        (row("p", {"name": "other", "value": 7}), TOLD),
        (row("p", {"name": "total", "value": "7"}), TOLD),
        (TOTAL, row("a", {"to": "a@b.c", "names": []})),
        (TOTAL, TOLD, row("q", {"name": "total", "value": 8})),
        (TOTAL, TOLD, row("q", {"name": "more", "value": 7})),
        (row("p", {"name": "total", "value": 7}, state=TaskState.FAILED), TOLD),
        (TOTAL,),
        (),
    ],
)
def test_a_planted_wrong_output_is_seen(wrong):
    assert not right(CASE, run(*wrong))


def test_tasks_of_the_right_plan_count_once_in_whatever_version():
    first, second, *_ = sorted(CASE.tasks)
    share = 1 / len(CASE.tasks)
    assert completed(CASE, run()) == 0
    assert completed(CASE, run(row(first), row(f"{first}~2"), row("foreign"))) == share
    done = run(row(f"{first}~2"), row(second), row(first, state=TaskState.FAILED))
    assert completed(CASE, done) == 2 * share
    assert completed(CASE, run(*map(row, CASE.tasks))) == 1.0
