"""What several runs have in common as a playbook, checked against each of them."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from pydantic_core import to_json

from orchestrator.core.edits import AddTask, Edit, EditBatch
from orchestrator.core.model import DEFAULT_LIMITS
from orchestrator.planner import PlanningError
from orchestrator.planner.memory.aligning import aligned
from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.generalising import Parameter, generalised
from orchestrator.planner.memory.phrases import Template, is_phrase, pattern, phrase, templates
from orchestrator.planner.memory.sampling import Sample
from orchestrator.planner.memory.secrets import MARK
from orchestrator.planner.memory.words import SMALL, telling
from orchestrator.planner.memory.writing import dump
from orchestrator.planner.playbook.document import PlaybookError
from orchestrator.planner.playbook.plan import Playbook, load
from protocol.types import Json

EXAMPLES: Final = 3  # values named in the description of a parameter
_SHOWN: Final = 40  # characters of one
_NAME_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A playbook that runs suggest; nothing uses it before it is adopted."""

    text: str
    """The file."""
    playbook: Playbook
    runs: tuple[str, ...]
    unsaid: tuple[str, ...]
    """Parameters that differed, though no request said so: to be looked at by a person."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.playbook.name


def candidate(samples: Sequence[Sample], *, name: str | None = None) -> Candidate:
    """Return the playbook of runs that did the same kind of thing, oldest first.

    It matches each of their requests, and gives each of their plans: from the request's words,
    and where these do not say a value that differed, when the value is given.

    Raises:
        LearningError: there is none; the runs do not belong together.
    """
    if not samples:
        raise LearningError("there is no run to learn from")
    requests = [each.request for each in samples]
    plans = [aligned(each.tasks, samples[-1].tasks) for each in samples]
    tasks, parameters = generalised(requests, plans)
    parameters = (*parameters, *_unused_secrets(requests, parameters))
    found, parameters = templates(requests, parameters)
    if any(not telling(" ".join(each[::2])) for each in found):
        raise LearningError(f"no word of {requests[-1]!r} tells it from other requests")
    shown = phrase(found[-1])
    head: dict[str, Json] = {"name": name or slug(found[-1]), "description": f"As in: {shown}"}
    told = {each.name: _told(each) for each in _in_order(parameters, found[-1])}
    unsaid = tuple(each.name for each in parameters if not any(each.said))
    runs = tuple(each.run for each in samples)
    kept = [s.model_copy(update={"tasks": p}) for s, p in zip(samples, plans, strict=True)]
    for strict in (False, True):
        written = [_pattern(each, parameters, strict=strict) for each in found]
        match = {text.casefold(): (text, regex) for text, regex in written}
        body = {
            **head,
            "match": [*map(_matching, match.values())],
            "parameters": told,
            "tasks": tasks,
        }
        text = f"# Learned from {len(runs)} run{'s'[: len(runs) > 1]}: {', '.join(runs)}\n"
        text += dump({key: value for key, value in body.items() if value})
        try:
            playbook = load(text, f"candidate {head['name']}")
        except PlaybookError as error:
            raise LearningError(f"what these runs share is no playbook: {error}") from error
        if all(_gives(playbook, each, n, parameters) for n, each in enumerate(kept)):
            return Candidate(text, playbook, runs, unsaid)
    raise LearningError(f"no phrase takes the right words out of {requests[-1]!r}")


def difference(new: Candidate, old: Playbook) -> str:
    """Return what adopting would change: a unified diff of both, written the same way."""
    there = dump(old.part.model_dump(mode="json", exclude_unset=True))
    here = dump(new.playbook.part.model_dump(mode="json", exclude_unset=True))
    lines = (there.splitlines(keepends=True), here.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, old.source, f"candidate {new.name}"))


def slug(template: Template) -> str:
    """Return a name for what a request asks."""
    words = re.findall(r"(?<![\w./-])[a-z]+(?![\w./])", " ".join(template[::2]).casefold())
    few = [word for word in words if word not in SMALL]
    return "-".join((few if len(few) > 1 else words)[:_NAME_WORDS]) or "learned"


def _unused_secrets(
    requests: Sequence[str], parameters: Sequence[Parameter]
) -> Iterator[Parameter]:
    """Yield parameters for secrets that were said and used nowhere: no phrase may hold them."""
    stray = [
        [mark for mark in MARK.findall(request) if all(mark != p.values[n] for p in parameters)]
        for n, request in enumerate(requests)
    ]
    for number, marks in enumerate(zip_longest(*stray), start=1):
        said = tuple(mark is not None for mark in marks)
        yield Parameter(f"unused_secret_{number}", "string", marks, said)


def _in_order(parameters: Sequence[Parameter], template: Template) -> Sequence[Parameter]:
    said = template[1::2]
    return sorted(
        parameters, key=lambda each: said.index(each.name) if each.name in said else len(said)
    )


def _told(each: Parameter) -> Mapping[str, Json]:
    told: dict[str, Json] = {} if each.kind == "string" else {"type": each.kind}
    if each.secret:
        unused = {"default": None} if each.name.startswith("unused_secret") else {}
        return {"description": "A secret: it is not kept.", **told, **unused}
    values = dict.fromkeys(to_json(value).decode() for value in reversed(each.values))
    examples = " or ".join(_clipped(value) for value in list(values)[:EXAMPLES])
    where = "As in" if any(each.said) else "Requests do not say it; it was"
    told = {"description": f"{where} {examples}.", **told}
    unsaid = [value for value, said in zip(each.values, each.said, strict=True) if not said]
    return {**told, "default": unsaid[-1]} if unsaid else told


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _pattern(
    template: Template, parameters: Sequence[Parameter], *, strict: bool
) -> tuple[str, bool]:
    if strict or not is_phrase(template):
        return pattern(template, parameters), True
    return phrase(template), False


def _matching(written: tuple[str, bool]) -> Json:
    text, is_regex = written
    return {"regex": text} if is_regex else text


def _gives(playbook: Playbook, sample: Sample, run: int, parameters: Sequence[Parameter]) -> bool:
    """Tell whether a candidate matches the request of a run and gives its plan."""
    match = playbook.match(sample.request)
    if match is None:
        return False
    declared = playbook.part.parameters
    given = {
        each.name: each.values[run]
        for each in parameters
        if not each.said[run]
        and (declared[each.name].required or declared[each.name].default != each.values[run])
    }
    try:
        plan = playbook.plan({**match.parameters, **given})
    except PlanningError:
        return False
    return _what(plan) == _what(sample.playbook().plan({}))


def _what(plan: EditBatch) -> Sequence[Edit]:
    """Return what is done, without its name, how long it may take and what is expected of it."""
    return [
        AddTask(replace(edit.task, title="", limits=DEFAULT_LIMITS, estimate_s=None, expect=None))
        if isinstance(edit, AddTask)
        else edit
        for edit in plan.edits
    ]
