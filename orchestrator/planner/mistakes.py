"""Ways in which a planner goes wrong, each as a change of a right answer."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TypeAlias

from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.references import FROM, predecessors
from protocol.types import DeviceId, Json, TaskId

Edits: TypeAlias = tuple[Edit, ...]


class Mistake(StrEnum):
    """What is wrong with an answer."""

    UNKNOWN_DEVICE = "unknown_device"
    WRONG_SKILL = "wrong_skill"
    MISSING_DEPENDENCY = "missing_dependency"
    NEEDLESS_DEPENDENCY = "needless_dependency"
    LOST_LITERAL = "lost_literal"
    DUPLICATE = "duplicate"
    CYCLE = "cycle"
    MALFORMED = "malformed"


def mistaken(batch: EditBatch, mistake: Mistake, chance: random.Random) -> EditBatch:
    """Return the batch with the mistake in one place; as it was where there is no such place."""
    return replace(batch, edits=_MISTAKES[mistake](batch.edits, chance))


def _unknown_device(edits: Edits, chance: random.Random) -> Edits:
    return _respecify(
        edits,
        chance,
        lambda spec: replace(spec, needs=replace(spec.needs, device=DeviceId("no-such-device"))),
    )


def _wrong_skill(edits: Edits, chance: random.Random) -> Edits:
    return _respecify(edits, chance, lambda spec: replace(spec, skill=f"{spec.skill}-not"))


def _malformed(edits: Edits, chance: random.Random) -> Edits:
    broken: Json = {FROM: 0}
    return _respecify(edits, chance, lambda spec: replace(spec, args={**spec.args, "x": broken}))


def _lost_literal(edits: Edits, chance: random.Random) -> Edits:
    return _drop_argument(edits, chance, used=False)


def _missing_dependency(edits: Edits, chance: random.Random) -> Edits:
    stated = [edit for edit in edits if isinstance(edit, AddDependency)]
    if stated:
        lost = chance.choice(stated)
        return tuple(edit for edit in edits if edit is not lost)
    return _drop_argument(edits, chance, used=True)


def _needless_dependency(edits: Edits, chance: random.Random) -> Edits:
    """Let some task wait for one that waits for nothing: that never closes a cycle."""
    waiting = {each.dependency.successor for each in edits if isinstance(each, AddDependency)}
    tasks = _added(edits)
    first = [spec.id for spec in tasks if spec.id not in waiting and not predecessors(spec)]
    pairs = [
        (before, spec.id)
        for before in first
        for spec in tasks
        if spec.id != before and before not in predecessors(spec)
    ]
    return (*edits, _edge(*chance.choice(pairs))) if pairs else edits


def _duplicate(edits: Edits, chance: random.Random) -> Edits:
    tasks = _added(edits)
    return (*edits, AddTask(chance.choice(tasks))) if tasks else edits


def _cycle(edits: Edits, chance: random.Random) -> Edits:
    tasks = [spec.id for spec in _added(edits)]
    if not tasks:
        return edits
    one, other = chance.choice(tasks), chance.choice(tasks)
    return (*edits, _edge(one, other), _edge(other, one))


_MISTAKES: Mapping[Mistake, Callable[[Edits, random.Random], Edits]] = {
    Mistake.UNKNOWN_DEVICE: _unknown_device,
    Mistake.WRONG_SKILL: _wrong_skill,
    Mistake.MISSING_DEPENDENCY: _missing_dependency,
    Mistake.NEEDLESS_DEPENDENCY: _needless_dependency,
    Mistake.LOST_LITERAL: _lost_literal,
    Mistake.DUPLICATE: _duplicate,
    Mistake.CYCLE: _cycle,
    Mistake.MALFORMED: _malformed,
}


def _added(edits: Edits) -> list[TaskSpec]:
    return [edit.task for edit in edits if isinstance(edit, AddTask)]


def _edge(before: TaskId, after: TaskId) -> AddDependency:
    return AddDependency(Dependency(before, after))


def _respecify(
    edits: Edits, chance: random.Random, change: Callable[[TaskSpec], TaskSpec]
) -> Edits:
    tasks = _added(edits)
    if not tasks:
        return edits
    chosen = chance.choice(tasks)
    return _swapped(edits, chosen, change(chosen))


def _drop_argument(edits: Edits, chance: random.Random, *, used: bool) -> Edits:
    """Leave out an argument that refers to an output (`used`), or one that does not."""
    places = [
        (spec, name)
        for spec in _added(edits)
        for name, value in spec.args.items()
        if bool(predecessors(TaskSpec(spec.id, spec.skill, {name: value}))) is used
    ]
    if not places:
        return edits
    chosen, lost = chance.choice(places)
    args = {name: value for name, value in chosen.args.items() if name != lost}
    return _swapped(edits, chosen, replace(chosen, args=args))


def _swapped(edits: Edits, old: TaskSpec, new: TaskSpec) -> Edits:
    return tuple(
        AddTask(new) if isinstance(edit, AddTask) and edit.task is old else edit for edit in edits
    )
