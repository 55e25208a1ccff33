"""A planner that errs, behind as much of the ladder as an arm has.

Its answers are JSON text, parsed and checked as a model's are: what is against a plan goes back to
it, and what the checks merely advise goes along (`orchestrator.planner.answers`). What fails as it
runs is told as one reason, whose rule follows from the kind of the failure that the journal has.
An output that is not what the request says it should be speaks of every task that had a part in
it.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from pydantic import ValidationError

from benchmarks.planner.arms import Arm
from benchmarks.planner.mending import mend
from benchmarks.planner.requests import Case
from orchestrator.core.edits import EditBatch, Reason
from orchestrator.core.facts import AttemptFailed
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.library import Orchestrator
from orchestrator.planner import (
    DeviceView,
    PlanningError,
    PlanRequest,
    RevisionRequest,
)
from orchestrator.planner.answers import against
from orchestrator.planner.mistakes import Mistake, mistaken
from orchestrator.planner.scripted import FalliblePlanner
from orchestrator.service.arguments import BatchPart
from protocol.chat.tokens import estimate
from protocol.types import DeviceCard, FailureKind, RunId, TaskId

RULES: Final[Mapping[FailureKind, str]] = {
    FailureKind.BAD_OUTPUT: "output",
    FailureKind.BAD_INPUT: "arguments",
    FailureKind.SKILL_ERROR: "arguments",
    FailureKind.TIMEOUT: "limit",
}
"""Failure at run time → the rule of the checks that would have said so; else its own name."""
NOWHERE: Final = "no_device"
"""The rule for a task that no device took."""


@dataclass
class Spent:
    """What one request took of the planner, and what the checks said."""

    calls: int = 0
    tokens: int = 0
    """Of questions and answers, estimated from their texts."""
    accepted_first: bool | None = None
    """The checks had nothing against the first answer; None: nothing was checked."""
    revisions: int = 0
    rules: list[str] = field(default_factory=list)
    """What the planner was told, by rule."""


class Ladder:
    """Plans and replans (`orchestrator.planner.Planner`).

    Args:
        arm: what is done about mistakes.
        planner: who makes them.
        cases: the requests by their words.
        seed: of the requests, for the planner's chance.
        now: the clock that deadlines are on, in seconds.
    """

    def __init__(
        self,
        arm: Arm,
        planner: FalliblePlanner,
        cases: Mapping[str, Case],
        *,
        seed: int,
        now: Callable[[], float],
    ) -> None:
        self.spent = {text: Spent() for text in cases}
        self.due: dict[str, float] = {}
        """The requests under way → their deadlines."""
        self.orchestrator: Orchestrator | None = None
        """Whose journal tells what has failed; set by whoever runs it."""
        self._arm = arm
        self._planner = planner
        self._cases = cases
        self._seed = seed
        self._now = now

    def asked(self, text: str) -> PlanRequest:
        """Return a request as the erring planner knows it, the same in every run of it."""
        return PlanRequest(RunId(f"r{self._cases[text].number}"), text, seed=self._seed)

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Make a first plan."""
        return await self._plan(request.request, _cards(request.fleet), ())

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Make a new plan after a failure, and edits of it."""
        text = request.snapshot.request
        self.spent[text].revisions += 1
        told = await self._failure(request)
        plan = await self._plan(text, _cards(request.fleet), (told,))
        mended = mend(request.snapshot, request.task, plan)
        if not mended.edits:
            raise PlanningError("the planner has no other plan")
        return mended

    async def _plan(
        self, text: str, cards: Sequence[DeviceCard], told: Sequence[Reason]
    ) -> EditBatch:
        """Ask until there is nothing against the answer, for so many rounds."""
        for _ in range(1 + self._arm.repairs):
            batch, told = await self._answer(text, cards, told)
            if batch is not None:
                return self._shaped(batch)
        raise PlanningError("; ".join(f"{each.rule}: {each.detail}" for each in told))

    async def _answer(
        self, text: str, cards: Sequence[DeviceCard], told: Sequence[Reason]
    ) -> tuple[EditBatch | None, Sequence[Reason]]:
        """Ask once; return the plan, or what is against it."""
        spent = self.spent[text]
        answer = await self._planner.write(self.asked(text), told)
        spent.calls += 1
        spent.tokens += estimate(text + _told(told)) + _catalogue(cards) + estimate(answer)
        spent.rules += [reason.rule for reason in told]
        batch, faults = parsed(answer)
        if batch is not None and self._arm.checks:
            faults = self._judged(text, batch, cards)
        if spent.calls == 1:
            spent.accepted_first = not faults if self._arm.checks else None
        return (None if faults else batch), faults

    def _judged(
        self, text: str, batch: EditBatch, cards: Sequence[DeviceCard]
    ) -> Sequence[Reason]:
        request = replace(
            self.asked(text),
            fleet=tuple(map(DeviceView, cards)),
            deliverables=self._cases[text].names,
            deadline_s=self.due[text] - self._now(),
        )
        return against(request, batch, worded=True)

    def _shaped(self, batch: EditBatch) -> EditBatch:
        if not self._arm.one_at_a_time:
            return batch
        return mistaken(batch, Mistake.SERIAL, random.Random(0))

    async def _failure(self, request: RevisionRequest) -> Reason:
        """Say what failed in the words of the checks."""
        assert self.orchestrator is not None
        run, task = request.snapshot, request.task
        story = await self.orchestrator.run(run.run).story(task)
        kinds = [entry.fact.kind for entry in story if isinstance(entry.fact, AttemptFailed)]
        rule = RULES.get(kinds[-1], kinds[-1].value) if kinds else NOWHERE
        detail = f"task {task!r}: {request.cause}"
        if rule == RULES[FailureKind.BAD_OUTPUT]:
            detail += f"; it was made by {', '.join(map(repr, above(run, task)))}"
        return Reason(rule, task, detail)


def parsed(answer: str) -> tuple[EditBatch | None, Sequence[Reason]]:
    """Return the plan that a text is, or why it is none."""
    try:
        return BatchPart.model_validate_json(answer).batch(0), ()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        rule = "json" if first["type"] == "json_invalid" else "schema"
        return None, (Reason(rule, None, first["msg"]),)


def above(run: RunSnapshot, task: TaskId) -> Sequence[TaskId]:
    """Return all that a task waited for, directly or not, the nearest first."""
    waits = {row.spec.id: [each.predecessor for each in row.dependencies] for row in run.tasks}
    found = list(dict.fromkeys(waits[task]))
    for name in found:  # grows while it is walked
        found += [before for before in waits[name] if before not in found]
    return found


def _told(reasons: Iterable[Reason]) -> str:
    return "".join(str(asdict(reason)) for reason in reasons)


def _cards(fleet: Iterable[DeviceView]) -> Sequence[DeviceCard]:
    return [view.card for view in fleet]


def _catalogue(cards: Iterable[DeviceCard]) -> int:
    """Estimate what it takes to tell a planner of the fleet: each device, each skill once."""
    skills = {skill.name: skill for card in cards for skill in card.skills}
    said = (f"{each.name} {each.description} {each.input_schema}" for each in skills.values())
    return sum(map(estimate, said)) + estimate(" ".join(card.device for card in cards))
