"""A plan in one line, as an example for people and models."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic_core import to_json

from orchestrator.planner.playbook.format import PlaybookPart, TaskPart

LONGEST: Final = 400  # characters of an example
_VALUE: Final = 40  # characters of an argument


def outline(part: PlaybookPart) -> str:
    """Return what its tasks do, in order."""
    return "; ".join(map(_task, part.tasks))


def clipped(text: str, characters: int = LONGEST) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def _task(task: TaskPart) -> str:
    args = ", ".join(
        f"{key}={clipped(to_json(value).decode(), _VALUE)}" for key, value in task.args.items()
    )
    where = f" on {task.device}" if task.device else _labelled(" with", task.labels)
    if task.for_each:
        over = f" item of {task.for_each.items}" if task.for_each.items else " device"
        where += f" for each{over}{_labelled(' with', task.for_each.devices or {})}"
    after: Sequence[str] = [
        edge.task
        if edge.when is None and edge.on == "success"
        else f"{edge.task} ({_on(edge.on)})"
        for edge in task.edges
    ]
    return f"{task.id}: {task.skill}({args}){where}{_after(after)}"


def _on(on: str) -> str:
    return "if its output fits" if on == "success" else f"on {on}"


def _after(names: Sequence[str]) -> str:
    return f" after {', '.join(names)}" if names else ""


def _labelled(word: str, labels: Mapping[str, str]) -> str:
    return f"{word} {', '.join(f'{k}={v}' for k, v in labels.items())}" if labels else ""
