"""A run's task graph, level by level: each task below everything that it waits for."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Final

from rich.text import Text

from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, On
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.render import values, warm
from orchestrator.render.story import words
from orchestrator.render.tables import STYLES
from protocol.types import TaskId

NEXT: Final[Mapping[TaskState, str]] = {
    TaskState.INPUT_REQUIRED: "(`muster answer` tells it)",
    TaskState.UNKNOWN: "(find out what came of it, and say so with `muster settle`)",
}
"""What a task waits for a person to do."""


def graph(run: RunSnapshot) -> Text:
    """Return the run's head and its tasks, one a line, with what each waits for."""
    lines = [
        Text(f"run {run.run}, revision {run.revision}: {run.request}"),
        _standing(run),
        *_judged(run),
    ]
    width = max((len(task.spec.id) + 2 * bool(task.parent) for task in run.tasks), default=0)
    for number, level in enumerate(levels(run.tasks), 1):
        lines.append(Text(f"level {number}", "bold"))
        lines += [_line(task, width) for task in level]
    lines += warm.of_run(run.warm)
    return Text("\n").join(lines)


def levels(tasks: Sequence[TaskSnapshot]) -> Iterator[list[TaskSnapshot]]:
    """Yield the tasks by level; the children of an expanded task follow it."""
    children: dict[TaskId | None, list[TaskSnapshot]] = {}
    for task in tasks:
        children.setdefault(task.parent, []).append(task)
    known = {task.spec.id: (number, task) for number, task in enumerate(children.get(None, ()))}
    order = TopologicalSorter(
        {name: [e.predecessor for e in task.dependencies] for name, (_, task) in known.items()}
    )
    order.prepare()
    while order.is_active():
        ready = order.get_ready()
        present = sorted(known[name] for name in ready if name in known)
        yield [each for _, task in present for each in (task, *children.get(task.spec.id, ()))]
        order.done(*ready)


def task(shown: TaskSnapshot) -> Text:
    """Return one task in full: what it is, what it got and what it came to."""
    spec = shown.spec
    rows: Mapping[str, str] = {
        "task": f"{spec.id}  {spec.title}",
        "state": "  ".join((shown.state, *_why(shown))),
        "skill": spec.skill,
        "device": shown.device or spec.needs.device or words(spec.needs.labels),
        "warm": warm.needs(spec.needs.resources),
        "after": _waits(shown.dependencies),
        "tries": str(shown.attempts or ""),
        "arguments": values.value(spec.args),
        "output": values.value(shown.output),
    }
    width = max(map(len, rows))
    margin = "\n" + " " * (width + 2)
    return Text("\n").join(
        Text(f"{name:{width}}  {value.replace(chr(10), margin)}".rstrip())
        for name, value in rows.items()
        if value.strip()
    )


def result(run: RunSnapshot) -> Text:
    """Return what an ended run came to: its outputs, and what is missing and why."""
    lines = [_standing(run)]
    for name, output in run.outputs.items():
        lines.append(Text(values.entry(name, output)))
    for name, why in run.missing.items():
        lines.append(Text(f"missing {name}: {why}", "red"))
    return Text("\n").join(lines)


def _judged(run: RunSnapshot) -> Iterator[Text]:
    """Yield what a judge said of the run, if one did."""
    if (found := run.judged) is not None:
        yield Text(f"judged {found.score:g}: {'; '.join(found.reasons)}".rstrip(": "))


def _standing(run: RunSnapshot) -> Text:
    said = f"{run.status}{', paused' if run.paused else ''}"
    return Text(f"{said}: {run.reason}" if run.reason else said, STYLES.get(run.status, ""))


def _line(task: TaskSnapshot, width: int) -> Text:
    spec = task.spec
    name = f"  {spec.id}" if task.parent else spec.id
    tries = f"try {task.attempts}" if task.attempts > 1 else ""
    where = task.device or spec.needs.device
    facts = (spec.skill, f"on {where}" if where else "", tries, _waits(task.dependencies))
    said = "  ".join(fact for fact in (*facts, *_why(task)) if fact)
    return Text(f"  {name:{width}}  {task.state:14}  {said}", STYLES.get(task.state, ""))


def _why(task: TaskSnapshot) -> Sequence[str]:
    """Return why a task is in its state, and what that asks of a person."""
    return [each for each in (task.reason, NEXT.get(task.state)) if each]


def _waits(dependencies: Sequence[Dependency]) -> str:
    return f"← {', '.join(map(_wait, dependencies))}" if dependencies else ""


def _wait(edge: Dependency) -> str:
    match edge.on:
        case On.SUCCESS:
            return edge.predecessor
        case On.WHEN if edge.when is not None:
            place = ".".join(map(str, edge.when.path))
            return f"{edge.predecessor} (when {place} {edge.when.op} {words(edge.when.value)})"
        case _:
            return f"{edge.predecessor} (on {edge.on})"
