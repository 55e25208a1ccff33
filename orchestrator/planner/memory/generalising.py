"""Plans of one shape as one plan with parameters: least general generalisation (Plotkin 1970).

Literals that are the same stay. Those that differ become a parameter, one for equal differences,
of the type by which most requests say the value. A text that no request says whole is taken
apart: known parameters in it, or what is between its common beginning and end.

Deviations, since playbooks take parameters in some places only: of titles that cannot be taken
apart, limits, estimates and expectations the newest plan's count; where others differ, the plans
do not belong together. A secret's mark becomes a parameter even where it is the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import takewhile
from typing import Final, TypeAlias

from pydantic_core import to_json

from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.reading import kinds, spans
from orchestrator.planner.memory.secrets import MARK
from orchestrator.planner.playbook.document import Location
from orchestrator.planner.playbook.expressions import ITEM
from orchestrator.planner.playbook.format import Kind
from protocol.types import Json

Task: TypeAlias = Mapping[str, Json]

_FREE: Final = frozenset({"limits", "estimate_s", "expect"})
"""Not what is done, but how long it may take, and what it is taken to come to."""
_FIXED: Final = frozenset({"id", "skill", "effect"})
CUTS: Final = 6  # beginnings and ends that are tried
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)
_VARIABLE: Final = frozenset({"key", "path", "value"})  # inside resources and after
_MAY_LACK: Final = frozenset({"labels", "devices"})  # null takes an entry out


class _Stage(IntEnum):
    """Arguments tell the types of parameters; with all known, texts are taken apart."""

    ARGUMENTS = 0
    WHOLE = 1
    APART = 2


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that differs between the runs."""

    name: str
    kind: Kind
    values: tuple[Json, ...]
    """One for each run."""
    said: tuple[bool, ...]
    """Whether the request of that run says it."""

    @property
    def secret(self) -> bool:
        """Whether it stands for a secret."""
        return any(isinstance(value, str) and MARK.search(value) for value in self.values)

    def words(self, run: int) -> str:
        """Return it as a part of a text; empty: it cannot be one."""
        value = self.values[run]
        if value is None or self.kind in ("list", "object"):
            return ""
        return value if isinstance(value, str) else to_json(value).decode()


def generalised(
    requests: Sequence[str], plans: Sequence[Sequence[Task]]
) -> tuple[tuple[Task, ...], tuple[Parameter, ...]]:
    """Return the plan of all runs, oldest first, and its parameters.

    Args:
        requests: what was asked.
        plans: aligned tasks.

    Raises:
        LearningError: the plans differ where a playbook has no parameters.
    """
    merging = _Merging(tuple(requests), {ITEM, *(str(task["id"]) for task in plans[-1])})
    for stage in _Stage:
        merging.stage = stage
        tasks = [merging.task(column) for column in zip(*plans, strict=True)]
    used = to_json(tasks).decode()
    parameters = (each for each in merging.found.values() if f"${{{each.name}}}" in used)
    return tuple(tasks), tuple(parameters)


@dataclass
class _Merging:
    requests: Sequence[str]
    taken: set[str]
    found: dict[tuple[bytes, ...], Parameter] = field(default_factory=dict)
    stage: _Stage = _Stage.ARGUMENTS

    def task(self, column: Sequence[Task]) -> Task:
        keys = dict.fromkeys(key for task in reversed(column) for key in task)
        name = str(column[-1]["id"])
        merged = {key: self.value([t.get(key) for t in column], (name, key)) for key in keys}
        return {key: value for key, value in merged.items() if value is not None}

    def value(self, values: Sequence[Json], place: Location) -> Json:
        """Return what stands for all of these values."""
        newest = values[-1]
        if len({to_json(value) for value in values}) == 1 and not MARK.search(str(newest)):
            return newest
        if place[1] in _FREE:
            return newest
        if place[-1] in _MAY_LACK and place[1] != "args":
            values = [value or {} for value in values]
        maps = [value for value in values if isinstance(value, Mapping)]
        if len(maps) == len(values) and (merged := self._mapping(maps, place)) is not None:
            return merged
        lists = [value for value in values if isinstance(value, list | tuple)]
        if len(lists) == len(values) and (items := self._list(lists, place)) is not None:
            return items
        return self._leaf(values, place)

    def _mapping(self, maps: Sequence[Mapping[str, Json]], place: Location) -> Json:
        if place[-1] not in _MAY_LACK and len({frozenset(each) for each in maps}) > 1:
            return None
        keys = dict.fromkeys(key for each in reversed(maps) for key in each)
        return {key: self.value([m.get(key) for m in maps], (*place, key)) for key in keys}

    def _list(self, lists: Sequence[Sequence[Json]], place: Location) -> Json:
        if place[1] == "args" and (whole := self._parameter(lists, place, everywhere=True)):
            return f"${{{whole.name}}}"
        if len({len(each) for each in lists}) > 1:
            return None
        return [self.value(items, (*place, n)) for n, items in enumerate(zip(*lists, strict=True))]

    def _leaf(self, values: Sequence[Json], place: Location) -> Json:
        newest, top = values[-1], place[1]
        nested = top in ("resources", "after", "for_each") and place[2:3] != ("devices",)
        if top in _FIXED or (nested and place[-1] not in _VARIABLE):
            raise LearningError(f"the plans differ in {place[-1]!r} of task {place[0]!r}")
        if any(isinstance(value, str) and value.startswith("${") for value in values):
            raise LearningError(f"the plans use other outputs in {place[-1]!r} of {place[0]!r}")
        if self.stage is _Stage.ARGUMENTS and top != "args":
            return newest
        plain = [v.replace("$${", "${") if isinstance(v, str) else v for v in values]
        texts = [value for value in values if isinstance(value, str)]
        whole = self._parameter(plain, place, everywhere=True)
        if whole is None and self.stage is _Stage.APART:
            if len(texts) == len(values) and (text := self._apart(texts, place)) is not None:
                return text
            if top == "title":
                return newest
            whole = self._parameter(plain, place, everywhere=False)
            if whole is None:
                raise LearningError(f"{place[-1]!r} of task {place[0]!r} has several types")
        return f"${{{whole.name}}}" if whole else newest

    def _parameter(
        self, values: Sequence[Json], place: Location, *, everywhere: bool
    ) -> Parameter | None:
        """Return the parameter with these values; a new one may have to be said everywhere."""
        key = tuple(map(to_json, values))
        if key in self.found:
            return self.found[key]
        if place[1] != "args":
            for known in self.found.values():  # in a text, 5 is as good as "5"
                if [known.words(n) for n in range(len(values))] == list(values):
                    return known
        best: Parameter | None = None
        for kind in kinds(values):
            pairs = zip(self.requests, values, strict=True)
            said = tuple(bool(spans(request, value, kind)) for request, value in pairs)
            if best is None or sum(said) > sum(best.said):
                best = Parameter("", kind, tuple(values), said)
        if best is None:
            return None
        unsaid = any(not said and v is not None for said, v in zip(best.said, values, strict=True))
        if everywhere and unsaid:
            return None
        named = Parameter(self._name(place), best.kind, best.values, best.said)
        self.found[key] = named
        return named

    def _apart(self, texts: Sequence[str], place: Location) -> str | None:
        """Return a text with parameters in it."""
        for marks in zip(*(MARK.findall(text) for text in texts), strict=False):
            self._parameter(marks, place, everywhere=False)
        for known in sorted(self.found.values(), key=lambda each: -len(each.words(-1))):
            texts = _replaced(texts, known)
        if len({*texts}) > 1:
            texts = self._between(texts, place)
        if len({*texts}) > 1 or re.search("\\$\0\\w", texts[0]):
            return None
        only = re.fullmatch("\0(\\w+)\0", texts[0])
        if only and place[1] == "args" and self._kind(only[1]) != "string":
            return None
        return re.sub("\0(\\w+)\0", r"${\1}", texts[0])

    def _between(self, texts: Sequence[str], place: Location) -> Sequence[str]:
        """Put a parameter between the common beginning and end, if requests say what is there."""
        for before in _cuts(texts):
            rests = [text[len(before) :][::-1] for text in texts]
            for backwards in _cuts(rests):
                middles = [rest[len(backwards) :][::-1] for rest in rests]
                if all(middles) and (known := self._said(middles, place)):
                    return [f"{before}\0{known.name}\0{backwards[::-1]}"] * len(texts)
        return texts

    def _said(self, texts: Sequence[str], place: Location) -> Parameter | None:
        if any("\0" in text or "${" in text for text in texts):
            return None
        known = self._parameter(texts, place, everywhere=True)
        if known is None and all(map(_NUMBER.fullmatch, texts)):  # "120", said as "2 minutes"
            known = self._parameter([int(each) for each in texts], place, everywhere=True)
        return known

    def _kind(self, name: str) -> Kind:
        return next(each.kind for each in self.found.values() if each.name == name)

    def _name(self, place: Location) -> str:
        words = [step for step in place if isinstance(step, str)]
        plain = re.sub(r"\W+", "_", words[-1], flags=re.ASCII).strip("_")
        plain = "what" if place[1] == "title" or not plain or plain[0].isdigit() else plain
        task = re.sub(r"\W+", "_", f"{words[0]}_{plain}", flags=re.ASCII)
        numbered = (f"{task}_{n}" for n in range(2, len(self.taken) + 3))
        name = next(each for each in (plain, task, *numbered) if each not in self.taken)
        self.taken.add(name)
        return name


def _replaced(texts: Sequence[str], known: Parameter) -> Sequence[str]:
    """Put a parameter where all of the texts have it as often."""
    counts, changed = set(), []
    for n, text in enumerate(texts):
        words = known.words(n).replace("${", "$${")
        if not words:
            return texts
        pattern = rf"(?<![\w\0]){re.escape(words)}(?![\w\0])"
        new, count = re.subn(pattern, lambda _: f"\0{known.name}\0", text)
        counts.add(count)
        changed.append(new)
    return changed if len(counts) == 1 else texts


def _cuts(texts: Sequence[str]) -> Sequence[str]:
    """Return common beginnings of whole words and parameters, the longest first.

    None ends with a dollar, which would escape the parameter behind it.
    """
    columns = takewhile(lambda column: len({*column}) == 1, zip(*texts, strict=False))
    text = "".join(column[0] for column in columns)
    ends = [found.end() for found in re.finditer(r"^|[^\w$]", text)]
    whole = [text[:end] for end in reversed(ends) if not text[:end].count("\0") % 2]
    return [*whole[: CUTS - 1], *whole[CUTS - 1 :][-1:]]
