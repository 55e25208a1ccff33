"""The invariants that state alone can show, checked in full. For tests: O(state)."""

from collections import Counter
from collections.abc import Sequence

from orchestrator.core.checking_resources import check_warmth
from orchestrator.core.errors import InvariantError
from orchestrator.core.graph import verdict
from orchestrator.core.lifecycle import FINAL, LIVE, TaskState
from orchestrator.core.state import Attempt, Run, State, Task
from protocol.types import Effect


def check(state: State) -> None:
    """Raise `InvariantError` for the first invariant that does not hold."""
    for run in state.runs.values():
        _run(state, run)
        for task in run.tasks.values():
            _task(state, run, task)
    _charges(state)
    check_warmth(state)
    _indices(state)
    if state.touched or state.joining or state.expanding:
        raise InvariantError("I8", "a step ended with tasks still to be looked at")


def _indices(state: State) -> None:
    live = [run.id for run in state.runs.values() if run.ended_at is None]
    ended = [run for run in state.runs.values() if run.ended_at is not None]
    if sorted(state.live) != sorted(live) or len(state.ended) != len(ended):
        raise InvariantError("I2", f"{sorted(state.live)} are live, not {sorted(live)}")
    if state.ended_tasks != sum(len(run.tasks) for run in ended):
        raise InvariantError("I2", f"{state.ended_tasks} tasks of ended runs are counted")


def _run(state: State, run: Run) -> None:
    unfinished = sum(task.state not in FINAL for task in run.tasks.values())
    if unfinished != run.unfinished:
        raise InvariantError("I2", f"run {run.id} counts {run.unfinished}, not {unfinished}")
    if run.ended_at is None and not run.unfinished and not run.asks:
        raise InvariantError("I10", f"run {run.id} has nothing left to do and has not ended")
    _acyclic(run)
    for ask in run.asks:
        if run.ended_at is None and state.timers.get(("ask", run.id, ask)) is None:
            raise InvariantError("I10", f"ask {ask} has no deadline")


def _acyclic(run: Run) -> None:
    unmet = {name: len(task.incoming) for name, task in run.tasks.items()}
    free = [name for name, count in unmet.items() if not count]
    for name in free:
        for successor in run.tasks[name].outgoing:
            unmet[successor] -= 1
            if not unmet[successor]:
                free.append(successor)
    if len(free) != len(run.tasks):
        raise InvariantError("I1", f"run {run.id} has a cycle")


def _task(state: State, run: Run, task: Task) -> None:
    name = task.spec.id
    live = [
        attempt
        for attempt in state.attempts.values()
        if attempt.run == run.id and attempt.task == name and attempt.state in LIVE
    ]
    named = [one for one in (task.live, task.hedge) if one is not None]
    if sorted(attempt.id for attempt in live) != sorted(named):
        raise InvariantError("I4", f"task {name} has live attempts {live}, not {named}")
    if task.hedge is not None and not _may_have(state, task, live):
        raise InvariantError("I4", f"task {name} has a hedge that it may not have: {live}")
    if live and task.state in FINAL:
        raise InvariantError("I4", f"task {name} is {task.state} and still has {live}")
    unmet = sum(run.tasks[e.predecessor].state not in FINAL for e in task.incoming)
    if task.state is TaskState.WAITING:
        if unmet != task.unmet:
            raise InvariantError("I8", f"task {name} counts {task.unmet} open, not {unmet}")
        if not unmet and verdict(run, task)[0]:
            raise InvariantError("I8", f"task {name} could be ready")
    _awaited(state, run, task, unmet=unmet)


def _may_have(state: State, task: Task, live: Sequence[Attempt]) -> bool:
    """Tell whether a hedge is one: beside another attempt elsewhere, repeatable, with a limit."""
    return (
        task.state is TaskState.ACTIVE
        and len({attempt.device for attempt in live}) == 2  # noqa: PLR2004 - it and the other
        and all(attempt.effect is not Effect.ONCE for attempt in live)
        and state.timers.get(task.hedge_key) is not None
    )


def _awaited(state: State, run: Run, task: Task, *, unmet: int) -> None:
    """I10: something is set, in flight or awaited for every task that is not final."""
    if task.state in FINAL or run.ended_at is not None:
        return
    has_deadline = state.timers.get(task.key) is not None
    fine = has_deadline or (
        (task.state is TaskState.WAITING and unmet > 0)
        or (task.state is TaskState.ACTIVE and task.open_children > 0)
    )
    if not fine:
        raise InvariantError("I10", f"task {task.spec.id} is {task.state} and awaits nothing")


def _charges(state: State) -> None:
    """I3, and I5 as far as a card that shrank allows: its limits are looked at when placing."""
    charged = Counter(attempt.run for attempt in state.attempts.values())
    for run in state.runs.values():
        if run.charged != charged[run.id]:
            raise InvariantError("I5", f"{run.id} counts {run.charged}, not {charged[run.id]}")
    for attempt in state.attempts.values():
        device = state.devices.get(attempt.device)
        if device is None or device.attempts.get(attempt.id) is not attempt:
            raise InvariantError("I5", f"attempt {attempt.id} is charged to nobody")
    for device in state.devices.values():
        name = device.card.device
        for attempt in device.attempts.values():
            lease = ("device" if device.online else "lease", name)
            leased = state.timers.get(lease) is not None or not device.card.extension
            if attempt.state in LIVE and not leased:
                raise InvariantError("I3", f"{attempt.id} on {name} holds no lease")
