"""Which transitions happened while, or shortly after, which kinds of faults.

The tables of `orchestrator.core.lifecycle` say what can happen; this follows the facts through
them, beside the engine, and notes the row of each step together with the faults of the moment.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from benchmarks.simulation.kinds import Kind
from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, RemoveDependency, ReplaceTask, SetArgs
from orchestrator.core.lifecycle import (
    ATTEMPT,
    NOT_STARTED,
    TASK,
    AttemptCause,
    AttemptState,
    TaskCause,
    TaskState,
)
from protocol.types import AttemptId, RunId, TaskId

Pair = tuple[str, str, str, Kind]
"""The table, a state and a cause in it, and a kind of fault."""
AFTERMATH_S: Final = 20.0  # as long as a lease: what a fault did shows by then

_TASK: Final[Mapping[type, TaskCause]] = {
    f.TaskPlaced: TaskCause.PLACE,
    f.TaskExpanded: TaskCause.EXPAND,
    f.TaskJoined: TaskCause.SUCCEED,
    f.TaskRecovering: TaskCause.RECOVER,
    f.TaskFailed: TaskCause.FAIL,
    f.TaskCancelling: TaskCause.STOP,
    f.TaskCancelled: TaskCause.CANCEL,
    f.TaskUnknown: TaskCause.LOSE,
    f.TaskSettled: TaskCause.SUCCEED,
    f.InputRequested: TaskCause.ASK,
    f.InputAnswered: TaskCause.ANSWER,
    f.AttemptSucceeded: TaskCause.SUCCEED,
    f.TasksReady: TaskCause.READY,
    f.TasksSkipped: TaskCause.SKIP,
}
_ATTEMPT: Final[Mapping[type, AttemptCause]] = {
    f.AttemptAccepted: AttemptCause.ACCEPT,
    f.AttemptStarted: AttemptCause.START,
    f.AttemptSucceeded: AttemptCause.SUCCEED,
    f.AttemptFailed: AttemptCause.FAIL,
    f.AttemptRejected: AttemptCause.REJECT,
    f.AttemptCancelled: AttemptCause.CANCEL,
    f.AttemptUnknown: AttemptCause.FORGET,
    f.AttemptLapsed: AttemptCause.LAPSE,
    f.AttemptOutrun: AttemptCause.LAPSE,
    f.AttemptLost: AttemptCause.LOSE,
}


class Coverage:
    """The pairs of one world."""

    def __init__(self) -> None:
        self.pairs: Counter[Pair] = Counter()
        self._tasks: dict[tuple[RunId, TaskId], TaskState] = {}
        self._attempts: dict[AttemptId, AttemptState] = {}

    def follow(self, fact: f.Fact, kinds: Iterable[Kind]) -> None:
        """Take a durable fact, and the kinds of faults of the moment."""
        if isinstance(fact, f.EditAccepted):
            self._edited(fact, kinds)
        if (cause := _TASK.get(type(fact))) is not None:
            run: RunId = getattr(fact, "run")  # noqa: B009 - the facts of that table have one
            for name in getattr(fact, "tasks", None) or (getattr(fact, "task"),):  # noqa: B009
                self._move((run, name), cause, kinds)
        if isinstance(fact, f.TaskPlaced):
            self._attempts[fact.attempt] = AttemptState.OFFERED
        elif (does := _ATTEMPT.get(type(fact))) is not None:
            attempt: AttemptId = getattr(fact, "attempt")  # noqa: B009 - these too
            state = self._attempts.pop(attempt, None)
            if state is not None and does in ATTEMPT[state]:
                self._attempts[attempt] = ATTEMPT[state][does]
                self._note("attempt", state, does, kinds)

    def _move(self, key: tuple[RunId, TaskId], cause: TaskCause, kinds: Iterable[Kind]) -> None:
        state = self._tasks.get(key, TaskState.WAITING)
        if cause in TASK[state]:
            self._tasks[key] = TASK[state][cause]
            self._note("task", state, cause, kinds)

    def _edited(self, fact: f.EditAccepted, kinds: Iterable[Kind]) -> None:
        for edit in fact.edits:
            match edit:
                case ReplaceTask(task):
                    name = task.id
                case SetArgs(name):
                    pass
                case AddDependency(dependency):
                    name = dependency.successor
                case RemoveDependency(_, name):
                    pass
                case _:
                    continue
            if self._tasks.get((fact.run, name)) in NOT_STARTED:
                self._move((fact.run, name), TaskCause.RESET, kinds)

    def _note(self, table: str, state: str, cause: str, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            self.pairs[table, state, cause, kind] += 1


UNREACHABLE: Final[frozenset[tuple[str, str, str]]] = frozenset(
    {
        # Our devices start what they accept, and say so; only foreign agents say "accepted".
        ("attempt", "offered", "accept"),
        *(("attempt", "accepted", str(cause)) for cause in ATTEMPT[AttemptState.ACCEPTED]),
        # A refusal after the start is taken for a failure.
        ("attempt", "started", "reject"),
    }
)
"""Rows that no world can take."""


def rows() -> list[tuple[str, str, str]]:
    """Return every row of the two tables that a world can take."""
    found = [("task", str(state), str(cause)) for state, row in TASK.items() for cause in row]
    found += [
        ("attempt", str(state), str(cause)) for state, row in ATTEMPT.items() for cause in row
    ]
    return [row for row in found if row not in UNREACHABLE]


def share(pairs: Mapping[Pair, int]) -> float:
    """Return the share, 0 to 1, of the reachable pairs of row and kind that happened."""
    reachable = set(rows())
    seen = sum((table, state, cause) in reachable for table, state, cause, _ in pairs)
    return seen / (len(reachable) * len(Kind))
