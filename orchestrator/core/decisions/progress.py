"""What follows by itself at the end of every step: readiness, fan-out, joins, ends, placement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchestrator.core import facts as f
from orchestrator.core.decisions.hedging import hedge_overdue
from orchestrator.core.decisions.improving import hand_out
from orchestrator.core.decisions.offers import arguments, filled, place, shorten_hopeless
from orchestrator.core.decisions.outcomes import (
    give_up,
    may_ask,
    review,
    unexpected,
)
from orchestrator.core.decisions.pins import make_room, retain
from orchestrator.core.decisions.prefetching import hint
from orchestrator.core.decisions.retention import forget_ended
from orchestrator.core.graph import verdict
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.model import ForEach, TaskSpec
from orchestrator.core.references import MissingError, fill_item
from orchestrator.core.scheduling import Place
from orchestrator.core.state import Run, Task
from orchestrator.core.step import Step
from protocol.types import DeviceId, Effect, FailureKind, Json, RunId, TaskId

LOOK = ("board",)  # the timer of what placement left to busy devices
MAX_FAN_OUT = 10_000  # children of one task; more is a mistake in the plan, or two levels


def settle(step: Step, policy: Place) -> None:
    """Let everything happen that can happen now (I8): nothing is left for a later event."""
    state = step.state
    while True:
        if state.touched:
            _judge(step)
        elif state.expanding:
            expand(step, state.expanding.pop(0))
        elif state.joining:
            _join(step, state.joining.pop(0))
        elif state.warmth.touched:
            retain(step)
        elif state.board.changed:
            _place(step, policy)
        elif state.unended:
            _end_runs(step)
        elif state.board.vacated:
            hedge_overdue(step)
        else:
            hint(step)
            hand_out(step)
            return


def _judge(step: Step) -> None:
    """Make tasks ready or skip them: one fact a run for those that are ready."""
    touched, step.state.touched = step.state.touched, []
    ready: dict[RunId, list[TaskId]] = {}
    for task in touched:
        run = step.state.runs[task.run]
        if (
            task.state is not TaskState.WAITING
            or task.unmet
            or run.tasks.get(task.spec.id) is not task
        ):
            continue
        may_run, reason, failed = verdict(run, task)
        if may_run:
            ready.setdefault(run.id, []).append(task.spec.id)
        else:
            step.emit(f.TasksSkipped(run.id, (task.spec.id,), reason, failed))
    for name, tasks in ready.items():
        # A task touched twice is ready once.
        step.emit(f.TasksReady(name, tuple(dict.fromkeys(tasks)), step.at))
        shorten_hopeless(step, step.state.runs[name], tasks)


def expand(step: Step, task: Task) -> None:
    """Make the children of a ready task; over devices there may be none to make them for."""
    run = step.state.runs[task.run]
    loop = task.spec.for_each
    assert loop is not None  # noqa: S101 - only such tasks are expanded
    try:
        items = _items(step, run, task.spec, loop)
        children = tuple(
            _child(task.spec, item, n, over_devices=loop.source is None)
            for n, item in enumerate(items)
        )
        _refuse_taken(run, task, children)
        kept = _kept(run, task, zip(items, children, strict=True))
    except (MissingError, TypeError) as error:
        give_up(step, run, task, str(error), kind=FailureKind.BAD_INPUT)
        return
    if not items and loop.source is None:
        return  # no such device is known yet: its deadline looks again
    step.emit(f.TaskExpanded(run.id, task.spec.id, children, tuple(items), kept))


def _kept(run: Run, task: Task, wanted: Iterable[tuple[Json, TaskSpec]]) -> tuple[TaskId, ...]:
    """Return the children of a former expansion that did the same work and succeeded (I7)."""
    before = dict(zip(task.children, task.items, strict=True))
    return tuple(
        spec.id
        for item, spec in wanted
        if spec.id in before
        and run.tasks[spec.id].state is TaskState.SUCCEEDED
        and before[spec.id] == item
        and _work(run.tasks[spec.id].spec) == _work(spec)
    )


def _work(spec: TaskSpec) -> tuple[object, ...]:
    return spec.skill, spec.args, spec.effect, spec.needs.device


def _refuse_taken(run: Run, task: Task, children: Sequence[TaskSpec]) -> None:
    for child in children:
        there = run.tasks.get(child.id)
        if there is not None and there.parent != task.spec.id:
            raise TypeError(f"for_each would make {child.id!r}, which is there already")


def _items(step: Step, run: Run, spec: TaskSpec, loop: ForEach) -> Sequence[Json]:
    if loop.source is None:
        wanted = replace(
            spec, needs=replace(spec.needs, labels={**spec.needs.labels, **loop.labels})
        )
        return [device.card.device for device in step.state.board.capable(wanted)]
    items = filled(run, loop.source)
    if not isinstance(items, list | tuple):
        raise TypeError(f"for_each needs a list of items, not {type(items).__name__}")
    if len(items) > MAX_FAN_OUT:
        raise TypeError(f"for_each has {len(items)} items, more than {MAX_FAN_OUT}")
    return items


def _child(spec: TaskSpec, item: Json, n: int, *, over_devices: bool) -> TaskSpec:
    needs = replace(spec.needs, device=DeviceId(str(item))) if over_devices else spec.needs
    name = TaskId(f"{spec.id}[{item if over_devices else n}]")
    args = {key: fill_item(value, item) for key, value in spec.args.items()}
    return replace(spec, id=name, args=args, needs=needs, for_each=None, expect=None)


def _join(step: Step, task: Task) -> None:
    run = step.state.runs[task.run]
    loop = task.spec.for_each
    if task.state is not TaskState.ACTIVE or loop is None:
        return
    results: list[Json] = []
    items: list[Json] = []
    missing: list[Mapping[str, Json]] = []
    for item, name in zip(task.items, task.children, strict=True):
        child = run.tasks[name]
        if child.state is TaskState.SUCCEEDED:
            results.append(child.output)
            items.append(item)
        else:
            missing.append({"item": item, "reason": child.reason or str(child.state)})
    wanted = len(task.items) if loop.min_success is None else loop.min_success
    if len(results) >= wanted:
        output: Json = {"results": results, "items": items, "missing": [*missing]}
        held = unexpected(task, output) and may_ask(run)
        step.emit(f.TaskJoined(run.id, task.spec.id, output, held))
        if held:
            review(step, run, task, Effect.ONCE if _took_effect(step, run, task) else None)
    else:
        why = "; ".join(f"{part['item']}: {part['reason']}" for part in missing[:3])
        reason = f"{len(results)} of {len(task.items)} succeeded, {wanted} needed"
        give_up(step, run, task, f"{reason} ({why})" if why else reason, kind=f.Why.ITEMS)


def _took_effect(step: Step, run: Run, task: Task) -> bool:
    """Tell whether an item did what may not be done again."""
    done = (run.tasks[name] for name in task.children)
    return any(
        child.state is TaskState.SUCCEEDED and _effect(step, child) is Effect.ONCE
        for child in done
    )


def _effect(step: Step, task: Task) -> Effect:
    """Return the effect of a task that is over; one that a person settled was `once`."""
    device = step.state.devices.get(task.where) if task.where is not None else None
    skill = device.skills.get(task.spec.skill) if device is not None else None
    return task.spec.effect or (skill.effect if skill is not None else Effect.ONCE)


def _place(step: Step, policy: Place) -> None:
    for placement in policy(step.state.board, step.at):
        task = placement.task
        assert isinstance(task, Task)  # noqa: S101 - the board holds our own rows
        run = step.state.runs[task.run]
        try:
            args = arguments(run, task)
        except MissingError as error:
            reason = f"its arguments cannot be filled: {error}"
            give_up(step, run, task, reason, kind=FailureKind.BAD_INPUT)
        else:
            if task.spec.needs.resources:
                make_room(step, step.state.devices[placement.device.card.device], task)
            place(step, task, placement.device, placement.estimate_s, args=args)
    look_at, due = step.state.board.look_at, step.state.timers.get(LOOK)
    if look_at is not None and (due is None or look_at < due):
        step.emit(f.DeadlineMoved(LOOK, look_at))


def _end_runs(step: Step) -> None:
    names, step.state.unended = list(step.state.unended), {}
    for name in names:
        run = step.state.runs[name]
        planned = run.revision > 0 or run.cancelling is not None
        planned &= all(ask.cause != f.REST for ask in run.asks.values())
        if run.ended_at is None and planned and not run.unfinished:
            status, reason = _status(run)
            step.emit(f.RunEnded(run.id, status, reason, step.at))
    forget_ended(step)


def _status(run: Run) -> tuple[f.RunStatus, str]:
    """Judge a run by the tasks that nothing follows: the scope of a failure ends there."""
    if run.cancelling is not None:
        failed = run.cancelling.failed
        return (f.RunStatus.FAILED if failed else f.RunStatus.CANCELLED), run.cancelling.why
    unmet = [
        task
        for task in run.tasks.values()
        if not task.outgoing and task.parent is None and not _satisfied(task)
    ]
    if not unmet:
        return f.RunStatus.SUCCEEDED, ""
    roots = [t for t in run.tasks.values() if t.state in _ROOTS and t.parent is None] or unmet
    shown = "; ".join(f"{task.spec.id}: {task.reason or task.state}" for task in roots[:5])
    more = f"; and {len(roots) - 5} more" if len(roots) > 5 else ""  # noqa: PLR2004 - as shown
    return f.RunStatus.FAILED, shown + more


_ROOTS = frozenset({TaskState.FAILED, TaskState.CANCELLED})


def _satisfied(task: Task) -> bool:
    if task.state is TaskState.SKIPPED:
        return not task.failed_upstream
    return task.state in FINAL and task.state is TaskState.SUCCEEDED
