"""Planners that say what they were told to, for tests and benchmarks, and err on purpose."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from typing import Final, TypeAlias, TypeVar

from orchestrator.core.edits import AddDependency, AddTask, EditBatch, Reason
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.mistakes import STRUCTURAL, Mistake, mistaken, torn
from protocol.types import Json, TaskId

R = TypeVar("R", PlanRequest, RevisionRequest)
Answer: TypeAlias = EditBatch | PlanningError | Callable[[R], EditBatch]
Script: TypeAlias = Answer[R] | Sequence[Answer[R]]


class ScriptedPlanner:
    """Answers from scripts: one answer is given again and again, a sequence once through.

    Args:
        proposals: what `propose` answers. A function makes the answer from the request, an error
            is raised.
        revisions: what `revise` answers; nothing at all by default.
        delay_s: how long it thinks before every answer.
        wrong: the share of the answers, 0 to 1, that are given with a mistake.
        mistakes: the ways of being wrong, each as likely.
        seed: where, with the request's own seed, the chance of being wrong comes from.
    """

    def __init__(
        self,
        proposals: Script[PlanRequest],
        revisions: Script[RevisionRequest] = (),
        *,
        delay_s: float = 0.0,
        wrong: float = 0.0,
        mistakes: Sequence[Mistake] = STRUCTURAL,
        seed: int = 0,
    ) -> None:
        self._proposals = _answers(proposals)
        self._revisions = _answers(revisions)
        self._delay_s = delay_s
        self._wrong = wrong
        self._mistakes = mistakes
        self._seed = seed
        self.asked: list[PlanRequest | RevisionRequest] = []
        """Every request so far, in order."""

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Give the next proposal."""
        return await self._answer(self._proposals, request, "propose")

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Give the next revision."""
        return await self._answer(self._revisions, request, "revise")

    async def _answer(self, answers: Iterator[Answer[R]], request: R, what: str) -> EditBatch:
        self.asked.append(request)
        chance = random.Random(f"{self._seed}|{request.seed}|{len(self.asked)}")
        answer = next(answers, PlanningError(f"the script has ended: it cannot {what}"))
        await asyncio.sleep(self._delay_s)
        if isinstance(answer, PlanningError):
            raise answer
        batch = answer if isinstance(answer, EditBatch) else answer(request)
        if chance.random() < self._wrong:
            return mistaken(batch, chance.choice(self._mistakes), chance)
        return batch


def _answers(script: Script[R]) -> Iterator[Answer[R]]:
    return iter(script) if isinstance(script, Sequence) else repeat(script)


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake in an answer."""

    mistake: Mistake
    tasks: frozenset[TaskId]
    """What it changed."""

    def named_by(self, reason: Reason) -> bool:
        """Tell whether a reason is about this: by its rule and, unless it is general, its task."""
        if reason.rule != self.mistake and reason.rule not in NAMED_BY[self.mistake]:
            return False
        general = reason.task is None or reason.rule in _GENERAL
        return (
            general
            or reason.task in self.tasks
            or any(repr(task) in reason.detail for task in self.tasks)
        )


NAMED_BY: Final[Mapping[Mistake, tuple[str, ...]]] = {
    Mistake.UNKNOWN_DEVICE: ("no_device",),
    Mistake.WRONG_SKILL: ("no_device",),
    Mistake.MISSING_DEPENDENCY: ("arguments", "dead_task"),
    Mistake.NEEDLESS_DEPENDENCY: ("needless_edge", "deadline", "window"),
    Mistake.LOST_LITERAL: ("lost_literal", "arguments", "deliverable"),
    Mistake.DUPLICATE: ("duplicate_task",),
    Mistake.CYCLE: ("cycle",),
    Mistake.MALFORMED: ("reference", "arguments"),
    Mistake.CHANGED_LITERAL: ("lost_literal", "arguments", "deliverable"),
    Mistake.DUPLICATE_WORK: ("dead_task", "deadline", "window"),
    Mistake.TOO_SHORT: ("limit",),
    Mistake.SERIAL: ("deadline", "window", "needless_edge"),
    Mistake.MALFORMED_TEXT: ("json", "schema", "length"),
    Mistake.SWAPPED: (),
    Mistake.WRONG_SOURCE: ("output", "arguments"),
}
"""Mistake → the rules that say it, beside its own name."""
_GENERAL: Final = frozenset({"cycle", "deadline", "window"})
"""Rules whose task is one of many that are to blame."""


class FalliblePlanner:
    """Knows the right plans, answers some requests wrongly, and mends only what it is told.

    Whether and how it errs is drawn once for a request: asking again brings the same answer, until
    a reason names the mistake (`Slip.named_by`). What it was told it keeps, request by request.

    Args:
        right: makes the right plan for a request.
        wrong: the share of the requests, 0 to 1, that are answered wrongly.
        mistakes: the ways of being wrong, each as likely; one that a plan has no place for is
            replaced by another.
        slips: how many of them there are in a wrong answer, ≥ 1.
        delay_s: how long it thinks before every answer.
        seed: where chance comes from, with the request's own seed and words.
    """

    def __init__(
        self,
        right: Callable[[PlanRequest], EditBatch],
        *,
        wrong: float = 0.0,
        mistakes: Sequence[Mistake] = tuple(Mistake),
        slips: int = 1,
        delay_s: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._right = right
        self._wrong = wrong
        self._mistakes = mistakes
        self._slips = slips
        self._delay_s = delay_s
        self._seed = seed
        self._mended: dict[str, set[Mistake]] = {}
        self.asked = 0
        """Answers so far."""

    async def propose(self, request: PlanRequest, feedback: Iterable[Reason] = ()) -> EditBatch:
        """Answer, without what the reasons name.

        Raises:
            PlanningError: the answer is no JSON; see `write`.
        """
        batch, slips = await self._answer(request, feedback)
        if any(slip.mistake is Mistake.MALFORMED_TEXT for slip in slips):
            raise PlanningError("the answer is no JSON")
        return batch

    async def write(self, request: PlanRequest, feedback: Iterable[Reason] = ()) -> str:
        """Answer as `propose`, in the form that ``muster edit`` takes, if it is one at all."""
        batch, slips = await self._answer(request, feedback)
        text = written(batch)
        if any(slip.mistake is Mistake.MALFORMED_TEXT for slip in slips):
            return torn(text, self._chance(request, Mistake.MALFORMED_TEXT))
        return text

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Refuse: it knows plans for requests, and none for failures."""
        raise PlanningError(f"it cannot revise: {request.cause}")

    def slips(self, request: PlanRequest) -> tuple[Slip, ...]:
        """Return what is wrong with the answer to a request as things are: the ground truth."""
        return self._spoilt(request)[1]

    async def _answer(
        self, request: PlanRequest, feedback: Iterable[Reason]
    ) -> tuple[EditBatch, tuple[Slip, ...]]:
        self.asked += 1
        await asyncio.sleep(self._delay_s)
        reasons = tuple(feedback)
        told = {slip.mistake for slip in self.slips(request) if any(map(slip.named_by, reasons))}
        self._mended.setdefault(self._key(request), set()).update(told)
        return self._spoilt(request)

    def _spoilt(self, request: PlanRequest) -> tuple[EditBatch, tuple[Slip, ...]]:
        """Return the right plan with every mistake that was not yet named."""
        batch, slips = self._right(request), list[Slip]()
        mended = self._mended.get(self._key(request), set())
        for mistake in self._drawn(request, batch):
            if mistake not in mended:
                worse = mistaken(batch, mistake, self._chance(request, mistake))
                slips.append(Slip(mistake, _changed(batch, worse)))
                batch = worse
        return batch, tuple(slips)

    def _drawn(self, request: PlanRequest, right: EditBatch) -> Sequence[Mistake]:
        """Return the mistakes of the first answer; each changes something, if only the text."""
        chance = random.Random(self._key(request))
        if chance.random() >= self._wrong:
            return ()
        possible = [
            mistake
            for mistake in chance.sample(self._mistakes, len(self._mistakes))
            if mistake is Mistake.MALFORMED_TEXT
            or mistaken(right, mistake, self._chance(request, mistake)) != right
        ]
        return possible[: self._slips]

    def _chance(self, request: PlanRequest, mistake: Mistake) -> random.Random:
        return random.Random(f"{self._key(request)}|{mistake}")

    def _key(self, request: PlanRequest) -> str:
        return f"{self._seed}|{request.seed}|{request.run}|{request.request}"


def _changed(before: EditBatch, after: EditBatch) -> frozenset[TaskId]:
    """Return the tasks of the edits that are in one batch only, or oftener."""
    old, new = list(before.edits), list(after.edits)
    for edit in before.edits:
        if edit in new:
            new.remove(edit)
            old.remove(edit)
    tasks: set[TaskId] = set()
    for edit in (*old, *new):
        match edit:
            case AddTask(spec):
                tasks.add(spec.id)
            case AddDependency(each):
                tasks |= {each.predecessor, each.successor}
            case _:
                pass  # a plan consists of these
    return frozenset(tasks)


_EDITS: Final[Mapping[type, str]] = {AddTask: "add_task", AddDependency: "add_dependency"}


def written(plan: EditBatch) -> str:
    """Return a first plan as JSON, in the form that ``muster edit`` takes."""
    edits = [
        {_EDITS[type(edit)]: next(iter(asdict(edit).values()))}  # each holds one thing
        for edit in plan.edits
    ]
    document: Mapping[str, Json] = {"base_revision": plan.base_revision, "edits": edits}
    return json.dumps(document)
