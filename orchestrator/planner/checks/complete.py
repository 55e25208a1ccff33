"""Complete: what was asked for is in the plan: every literal, every deliverable (AOP, 3.3).

For plans that a model or a script made from words. A playbook has its own way to read a request.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.edits import Reason
from orchestrator.core.model import TaskSpec
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.literals import Literal, fold, holds, literals
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.scan import said
from orchestrator.planner.refusals import labels
from protocol.types import DeviceCard, Effect, TaskId

_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a plan is for."""

    request: str
    deliverables: tuple[str, ...] = ()
    """What must come of it: ids of tasks, files, or members of an output, by name. Without any,
    the outputs of the tasks that nothing follows are what comes of it."""


def complete(plan: Plan, fleet: Fleet, goal: Goal) -> Iterator[Reason]:
    """Yield the literals that the plan has lost and the deliverables that nothing makes."""
    kept = [spec for task, spec in plan.specs.items() if not plan.lost(task)]
    yield from _lost(plan, kept, fleet, goal.request)
    for each in goal.deliverables:
        if not _makers(plan, kept, fleet, each):
            detail = f"nothing makes {each!r}: add a task of that name, one that writes it, or"
            yield Reason("deliverable", None, f"{detail} one whose skill declares it")


def makers(plan: Plan, fleet: Fleet, deliverables: Iterable[str]) -> Sequence[TaskId]:
    """Return the tasks that make any of the deliverables."""
    kept = [spec for task, spec in plan.specs.items() if not plan.lost(task)]
    found = (_makers(plan, kept, fleet, each) for each in deliverables)
    return [task for tasks in found for task in tasks]


def _lost(plan: Plan, kept: Sequence[TaskSpec], fleet: Fleet, request: str) -> Iterator[Reason]:
    names = [name for card in fleet.cards for name in (card.device, card.name)]
    wanted = literals(request, names)
    if not wanted:
        return
    texts = [text for spec in kept for text in said(spec, plan.scans[spec.id])]
    whole = _haystack(texts)
    values = {value for literal in wanted for value in literal.values}
    numbers = _numbers(plan, kept, texts) if values else set()
    for literal in wanted:
        if not (
            any(holds(whole, form) for form in literal.forms)
            or any(_rounded(value) in numbers for value in literal.values)
            or _alone(literal, kept, fleet)
        ):
            detail = f"the request says {literal.text!r}, and no task does"
            yield Reason("lost_literal", None, f"{detail}: put it into the arguments of one")


def _haystack(texts: Sequence[str]) -> str:
    """Join the texts; those with backslashes stand there twice, the second time without them."""
    plain = [text.replace("\\", "") for text in texts if "\\" in text]
    return fold(" \0 ".join((*texts, *plain)))


def _numbers(plan: Plan, kept: Sequence[TaskSpec], texts: Sequence[str]) -> set[float]:
    found = {n for spec in kept for n in plan.scans[spec.id].numbers}
    found.update(map(float, _NUMBER.findall(" ".join(texts))))
    return {n if type(n) is int else _rounded(n) for n in found}


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")


def _alone(literal: Literal, kept: Sequence[TaskSpec], fleet: Fleet) -> bool:
    """Tell whether it is a device that some task's labels fit, and no other known device's."""
    named = [card for card in fleet.cards if literal.text in (card.device, card.name)]
    return bool(named) and any(
        _fitting(labels(spec), fleet.cards) == named for spec in kept if labels(spec)
    )


def _fitting(wanted: Mapping[str, str], cards: Iterable[DeviceCard]) -> Sequence[DeviceCard]:
    return [card for card in cards if wanted.items() <= card.labels.items()]


def _makers(
    plan: Plan, kept: Sequence[TaskSpec], fleet: Fleet, deliverable: str
) -> Sequence[TaskId]:
    form = fold(deliverable)
    return [spec.id for spec in kept if spec.id == deliverable] or [
        spec.id
        for spec in kept
        if _writes(plan, spec, fleet, form) or _declares(plan, spec, fleet, deliverable)
    ]


def _writes(plan: Plan, spec: TaskSpec, fleet: Fleet, form: str) -> bool:
    texts = plan.scans[spec.id].texts
    named = any(holds(fold(text), form) for text in texts)
    return named and fleet.effect(spec) is not Effect.PURE


def _declares(plan: Plan, spec: TaskSpec, fleet: Fleet, name: str) -> bool:
    """Tell whether it is in an output of the run: of a task that nothing follows."""
    if spec.id in plan.followed:
        return False
    listed = ((schema or {}).get("properties") for schema in fleet.offers(spec).outputs)
    return any(isinstance(members, Mapping) and name in members for members in listed)
