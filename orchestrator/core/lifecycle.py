"""The two transition tables. Code, diagram and the exhaustive tests come from them.

A **task** waits for its predecessors, is `ready` for a device, `active` while an attempt (or, once
expanded, its children) work on it, and ends `succeeded`, `failed`, `cancelled` or `skipped`. In
between it may be `recovering` (a back-off or the planner is awaited), `cancelling` (its device was
told), `input_required` (a person was asked) or `unknown` (a `once` outcome was lost).

An **attempt** is `offered`, `accepted`, `started` and then final. `lapsed` is not live (the task
may be tried elsewhere where its effect class allows) and not final: it stays charged to its
device until that reports or its incarnation changes.
"""

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.core.errors import InvalidTransitionError


class TaskState(StrEnum):
    """Where a task stands."""

    WAITING = "waiting"
    READY = "ready"
    ACTIVE = "active"
    RECOVERING = "recovering"
    CANCELLING = "cancelling"
    INPUT_REQUIRED = "input_required"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class TaskCause(StrEnum):
    """What moves a task."""

    READY = "ready"
    PLACE = "place"
    EXPAND = "expand"
    SUCCEED = "succeed"
    RECOVER = "recover"
    RESET = "reset"
    FAIL = "fail"
    STOP = "stop"
    CANCEL = "cancel"
    SKIP = "skip"
    ASK = "ask"
    ANSWER = "answer"
    LOSE = "lose"


class AttemptState(StrEnum):
    """Where an attempt stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    STARTED = "started"
    LAPSED = "lapsed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    LOST = "lost"


class AttemptCause(StrEnum):
    """What moves an attempt."""

    ACCEPT = "accept"
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    REJECT = "reject"
    CANCEL = "cancel"
    FORGET = "forget"
    LAPSE = "lapse"
    LOSE = "lose"


T, C = TaskState, TaskCause
TASK: Mapping[TaskState, Mapping[TaskCause, TaskState]] = {
    T.WAITING: {C.READY: T.READY, C.SKIP: T.SKIPPED, C.CANCEL: T.CANCELLED, C.RESET: T.WAITING},
    T.READY: {
        C.PLACE: T.ACTIVE,
        C.EXPAND: T.ACTIVE,
        C.RESET: T.WAITING,
        C.SUCCEED: T.SUCCEEDED,
        C.FAIL: T.FAILED,
        C.CANCEL: T.CANCELLED,
        C.RECOVER: T.RECOVERING,
    },
    T.ACTIVE: {
        C.SUCCEED: T.SUCCEEDED,
        C.FAIL: T.FAILED,
        C.RECOVER: T.RECOVERING,
        C.STOP: T.CANCELLING,
        C.CANCEL: T.CANCELLED,
        C.ASK: T.INPUT_REQUIRED,
        C.LOSE: T.UNKNOWN,
    },
    T.RECOVERING: {
        C.READY: T.READY,
        C.RECOVER: T.RECOVERING,
        C.RESET: T.WAITING,
        C.SUCCEED: T.SUCCEEDED,
        C.FAIL: T.FAILED,
        C.CANCEL: T.CANCELLED,
    },
    T.CANCELLING: {C.CANCEL: T.CANCELLED, C.SUCCEED: T.SUCCEEDED, C.LOSE: T.UNKNOWN},
    T.INPUT_REQUIRED: {
        C.ANSWER: T.ACTIVE,
        C.SUCCEED: T.SUCCEEDED,
        C.FAIL: T.FAILED,
        C.RECOVER: T.RECOVERING,
        C.STOP: T.CANCELLING,
        C.CANCEL: T.CANCELLED,
        C.LOSE: T.UNKNOWN,
    },
    T.UNKNOWN: {
        C.SUCCEED: T.SUCCEEDED,
        C.FAIL: T.FAILED,
        C.RECOVER: T.RECOVERING,
        C.CANCEL: T.CANCELLED,
    },
    T.SUCCEEDED: {},
    T.FAILED: {},
    T.CANCELLED: {},
    T.SKIPPED: {},
}
"""Task state → cause → next state. A missing row is impossible, never ignored."""

FINAL = frozenset(state for state, row in TASK.items() if not row)
"""I6: nothing leaves these."""
NOT_STARTED = frozenset({T.WAITING, T.READY, T.RECOVERING})
"""I7: an edit may touch a task only in these (`CancelTask` apart)."""

A, B = AttemptState, AttemptCause
_ENDS: Mapping[AttemptCause, AttemptState] = {
    B.SUCCEED: A.SUCCEEDED,
    B.FAIL: A.FAILED,
    B.REJECT: A.REJECTED,
    B.CANCEL: A.CANCELLED,
    B.FORGET: A.UNKNOWN,
    B.LOSE: A.LOST,
}
ATTEMPT: Mapping[AttemptState, Mapping[AttemptCause, AttemptState]] = {
    A.OFFERED: {**_ENDS, B.ACCEPT: A.ACCEPTED, B.START: A.STARTED, B.LAPSE: A.LAPSED},
    A.ACCEPTED: {**_ENDS, B.START: A.STARTED, B.LAPSE: A.LAPSED},
    A.STARTED: {**_ENDS, B.LAPSE: A.LAPSED},
    A.LAPSED: _ENDS,
    A.SUCCEEDED: {},
    A.FAILED: {},
    A.REJECTED: {},
    A.CANCELLED: {},
    A.UNKNOWN: {},
    A.LOST: {},
}
"""Attempt state → cause → next state."""

LIVE = frozenset({A.OFFERED, A.ACCEPTED, A.STARTED})
"""I4: at most one of a task's attempts is in these, a declared hedge apart."""


def next_task_state(state: TaskState, cause: TaskCause, what: str) -> TaskState:
    """Look the row up; `what` names the task in the error."""
    try:
        return TASK[state][cause]
    except KeyError:
        raise InvalidTransitionError(what, state, cause) from None


def next_attempt_state(state: AttemptState, cause: AttemptCause, what: str) -> AttemptState:
    """Look the row up; `what` names the attempt in the error."""
    try:
        return ATTEMPT[state][cause]
    except KeyError:
        raise InvalidTransitionError(what, state, cause) from None
