"""Ways in which a planner goes wrong, each as a change of a right answer."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Final, TypeAlias

from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.references import FROM, predecessors
from protocol.types import DeviceId, Json, TaskId

Edits: TypeAlias = tuple[Edit, ...]
Corruption: TypeAlias = Callable[[Edits, random.Random], Edits]


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
    CHANGED_LITERAL = "changed_literal"
    DUPLICATE_WORK = "duplicate_work"
    """A task once more, under another id."""
    TOO_SHORT = "too_short"
    """A task may run for a fraction of the time that it takes."""
    SERIAL = "serial"
    """One task after the other, whatever the deadline."""
    MALFORMED_TEXT = "malformed_text"
    """The answer is no whole JSON; nothing of a batch changes."""
    SWAPPED = "swapped"
    """Two tasks have each other's arguments: valid, and wrong."""
    WRONG_SOURCE = "wrong_source"
    """A task reads the output of another one: valid, and wrong."""


STRUCTURAL: Final = tuple(Mistake)[:8]
"""Those that most tests of coordinators need."""
VALID: Final = (Mistake.SWAPPED, Mistake.WRONG_SOURCE)
"""Those that no check can find, as a rule."""
TOO_QUICK: Final = 2_000.0  # no device is that much quicker than the reference
GUESS_S: Final = 60.0  # what a task takes that says nothing of it


def mistaken(batch: EditBatch, mistake: Mistake, chance: random.Random) -> EditBatch:
    """Return the batch with the mistake in one place; as it was where there is no such place."""
    return replace(batch, edits=CORRUPTIONS[mistake](batch.edits, chance))


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


def _too_short(edits: Edits, chance: random.Random) -> Edits:
    def shorten(spec: TaskSpec) -> TaskSpec:
        takes_s = spec.estimate_s or GUESS_S
        return replace(
            spec, estimate_s=takes_s, limits=replace(spec.limits, run_s=takes_s / TOO_QUICK)
        )

    return _respecify(edits, chance, shorten)


def _lost_literal(edits: Edits, chance: random.Random) -> Edits:
    return _drop_argument(edits, chance, used=False)


def _changed_literal(edits: Edits, chance: random.Random) -> Edits:
    places = [
        (spec, name, value)
        for spec in _added(edits)
        for name, value in spec.args.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    ]
    if not places:
        return edits
    chosen, name, value = chance.choice(places)
    other = f"x{value[1:]}x" if isinstance(value, str) else value + 1
    return _swapped(edits, {chosen.id: replace(chosen, args={**chosen.args, name: other})})


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


def _serial(edits: Edits, chance: random.Random) -> Edits:
    """Let each task wait for the one before, in the order in which they could run."""
    del chance  # there is one way
    waits: dict[TaskId, list[TaskId]] = {spec.id: [] for spec in _added(edits)}
    stated = [edit.dependency for edit in edits if isinstance(edit, AddDependency)]
    used = [Dependency(b, spec.id) for spec in _added(edits) for b in predecessors(spec)]
    for each in (*stated, *used):
        if each.predecessor in waits and each.successor in waits:
            waits[each.successor].append(each.predecessor)
    order = TopologicalSorter(waits).static_order()
    new = (_edge(before, after) for before, after in pairwise(order) if before not in waits[after])
    return (*edits, *new)


def _duplicate(edits: Edits, chance: random.Random) -> Edits:
    tasks = _added(edits)
    return (*edits, AddTask(chance.choice(tasks))) if tasks else edits


def _duplicate_work(edits: Edits, chance: random.Random) -> Edits:
    tasks = _added(edits)
    if not tasks:
        return edits
    twin = chance.choice(tasks)
    name = TaskId(f"{twin.id}-again")
    waits = [
        AddDependency(replace(edit.dependency, successor=name))
        for edit in edits
        if isinstance(edit, AddDependency) and edit.dependency.successor == twin.id
    ]
    return (*edits, AddTask(replace(twin, id=name)), *waits)


def _cycle(edits: Edits, chance: random.Random) -> Edits:
    tasks = [spec.id for spec in _added(edits)]
    if not tasks:
        return edits
    one, other = chance.choice(tasks), chance.choice(tasks)
    return (*edits, _edge(one, other), _edge(other, one))


def _swap(edits: Edits, chance: random.Random) -> Edits:
    """Swap the arguments of two tasks of a skill where nobody waits and so no cycle closes."""
    plain = [spec for spec in _added(edits) if not predecessors(spec)]
    pairs = [
        (one, other)
        for n, one in enumerate(plain)
        for other in plain[n + 1 :]
        if one.skill == other.skill and one.args != other.args
    ]
    if not pairs:
        return edits
    one, other = chance.choice(pairs)
    new = {one.id: replace(one, args=other.args), other.id: replace(other, args=one.args)}
    return _swapped(edits, new)


def _wrong_source(edits: Edits, chance: random.Random) -> Edits:
    """Read the output of a task of the same skill instead; of one that waits for nothing."""
    tasks = {spec.id: spec for spec in _added(edits)}
    waiting = {each.dependency.successor for each in edits if isinstance(each, AddDependency)}
    first = [t for t in tasks.values() if t.id not in waiting and not predecessors(t)]
    places = [
        (spec, name, other.id)
        for spec in tasks.values()
        for name, value in spec.args.items()
        if isinstance(value, Mapping) and value.get(FROM) in tasks
        for other in first
        if other.skill == tasks[TaskId(str(value[FROM]))].skill
        and other.id not in (value[FROM], spec.id)
    ]
    if not places:
        return edits
    chosen, name, other = chance.choice(places)
    value = chosen.args[name]
    read: Json = {**value, FROM: other} if isinstance(value, Mapping) else value
    return _swapped(edits, {chosen.id: replace(chosen, args={**chosen.args, name: read})})


def _as_it_was(edits: Edits, chance: random.Random) -> Edits:
    del chance
    return edits


CORRUPTIONS: Final[Mapping[Mistake, Corruption]] = {
    Mistake.UNKNOWN_DEVICE: _unknown_device,
    Mistake.WRONG_SKILL: _wrong_skill,
    Mistake.MISSING_DEPENDENCY: _missing_dependency,
    Mistake.NEEDLESS_DEPENDENCY: _needless_dependency,
    Mistake.LOST_LITERAL: _lost_literal,
    Mistake.DUPLICATE: _duplicate,
    Mistake.CYCLE: _cycle,
    Mistake.MALFORMED: _malformed,
    Mistake.CHANGED_LITERAL: _changed_literal,
    Mistake.DUPLICATE_WORK: _duplicate_work,
    Mistake.TOO_SHORT: _too_short,
    Mistake.SERIAL: _serial,
    Mistake.MALFORMED_TEXT: _as_it_was,
    Mistake.SWAPPED: _swap,
    Mistake.WRONG_SOURCE: _wrong_source,
}


def torn(text: str, chance: random.Random) -> str:
    """Return JSON text as models spoil it: cut off, with a comma too many, or with none at all."""
    cut = chance.randint(len(text) // 2, len(text) - 1)
    return chance.choice((text[:cut], text[:-1] + ",}", text.replace(",", "", 1), "I would say: "))


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
    return _swapped(edits, {chosen.id: change(chosen)})


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
    return _swapped(edits, {chosen.id: replace(chosen, args=args)})


def _swapped(edits: Edits, new: Mapping[TaskId, TaskSpec]) -> Edits:
    return tuple(
        AddTask(new.get(edit.task.id, edit.task)) if isinstance(edit, AddTask) else edit
        for edit in edits
    )
