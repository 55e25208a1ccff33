"""Exploring a world breadth first: every state, the shortest way to a broken property."""

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from tests.model.actions import CALM, steps
from tests.model.properties import PROPERTIES, STEPWISE, broken
from tests.model.words import OVER, State, Task, World, first

Label: TypeAlias = tuple[object, ...]
Came: TypeAlias = dict[State, tuple[State, Label] | None]
"""Every state that was reached, with the one before it and the step from there."""


class Explored(NamedTuple):
    """All that can be reached, or the way to the first thing that is wrong."""

    came: Came
    steps: int
    whole: bool = True
    broken: str = ""
    trace: tuple[str, ...] = ()


def explore(
    w: World, *, most: int = 10_000_000, properties: Collection[str] = tuple(PROPERTIES)
) -> Explored:
    """Reach every state of a world; stop at a broken property, or after so many states."""
    start = first(w)
    came: Came = {start: None}
    queue, taken = [start], 0
    stepwise = [name for name in properties if name in STEPWISE]
    for s in queue:
        for label, after in steps(w, s):
            taken += 1
            new = after not in came
            if wrong := broken(w, s, label, after, properties if new else stepwise):
                return Explored(
                    came, taken, whole=False, broken=wrong, trace=(*trace(came, s), line(label))
                )
            if new:
                came[after] = s, label
                queue.append(after)
        if len(came) >= most:
            return Explored(came, taken, whole=False)
    return Explored(came, taken)


def trace(came: Came, s: State) -> list[str]:
    """Return how a state was reached, a line for each step."""
    lines = []
    while step := came[s]:
        s, label = step
        lines.append(line(label))
    return lines[::-1]


def line(label: Label) -> str:
    """Say a step in a line."""
    return " ".join(_said(each) for each in label)


def _said(part: object) -> str:
    if not isinstance(part, tuple):
        return str(part)
    values = zip(part._fields, part, strict=True)  # type: ignore[attr-defined]
    return f"{type(part).__name__}({', '.join(f'{name}={value}' for name, value in values)})"


def stuck(w: World, states: Iterable[State]) -> list[State]:
    """Return the states from which the task cannot end once all in flight is lost.

    Nothing fails any more, and no device is suspected that was not.
    """
    starts = list(dict.fromkeys(s._replace(sent=frozenset(), old=None) for s in states))
    index = {s: n for n, s in enumerate(starts)}
    queue = list(starts)
    before: list[list[int]] = [[] for _ in queue]
    for n, s in enumerate(queue):
        if _ended(s):
            continue
        for _, after in steps(w, s, CALM):
            if after not in index:
                index[after] = len(queue)
                queue.append(after)
                before.append([])
            before[index[after]].append(n)
    good = {n for n, s in enumerate(queue) if _ended(s)}
    todo = list(good)
    while todo:
        new = [n for n in before[todo.pop()] if n not in good]
        good.update(new)
        todo += new
    return [s for n, s in enumerate(starts) if n not in good]


def _ended(s: State) -> bool:
    return s.journal.task in OVER or s.journal.task is Task.UNKNOWN
