"""The two tables, exhaustively: every state and cause is a row or an error."""

from itertools import product

import pytest

from orchestrator.core.errors import InvalidTransitionError
from orchestrator.core.lifecycle import (
    ATTEMPT,
    FINAL,
    LIVE,
    NOT_STARTED,
    TASK,
    AttemptCause,
    AttemptState,
    TaskCause,
    TaskState,
    next_attempt_state,
    next_task_state,
)

TASKS = (TASK, TaskState, TaskCause, next_task_state)
ATTEMPTS = (ATTEMPT, AttemptState, AttemptCause, next_attempt_state)
TABLES = pytest.mark.parametrize("machine", [TASKS, ATTEMPTS], ids=["task", "attempt"])


@TABLES
def test_i2_only_rows_of_the_table_move_a_state(machine):
    table, states, causes, following = machine
    assert set(table) == set(states)
    for state, cause in product(states, causes):
        if cause in table[state]:
            assert following(state, cause, "it") is table[state][cause]
        else:
            with pytest.raises(InvalidTransitionError, match=f"it is {state}: {cause}"):
                following(state, cause, "it")


@TABLES
def test_every_cause_has_a_row_and_every_state_is_reached(machine):
    table, states, causes, _ = machine
    assert {cause for row in table.values() for cause in row} == set(causes)
    reached = {target for row in table.values() for target in row.values()}
    assert reached | {next(iter(states))} == set(states)


@TABLES
def test_every_state_leads_to_an_end(machine):
    table, states, _, _ = machine
    ends = {state for state, row in table.items() if not row}
    for _ in states:
        ends |= {state for state, row in table.items() if ends & set(row.values())}

    assert ends == set(states)


def test_i6_nothing_leaves_a_final_state():
    assert {"succeeded", "failed", "cancelled", "skipped"} == FINAL
    assert all(not TASK[state] for state in FINAL)


def test_i7_only_what_has_not_started_can_be_reset_by_an_edit():
    assert {state for state, row in TASK.items() if TaskCause.RESET in row} == NOT_STARTED


def test_i4_only_live_attempts_lapse():
    assert {state for state, row in ATTEMPT.items() if AttemptCause.LAPSE in row} == LIVE
