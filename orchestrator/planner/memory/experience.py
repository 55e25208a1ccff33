"""What a run's facts say of skills on devices: which tries failed, how, and what then worked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from orchestrator.core import facts as f
from orchestrator.core.edits import AddTask, ReplaceTask, SetArgs
from protocol.types import AttemptId, DeviceId, FailureKind, Json, TaskId


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that said something about its skill and its device."""

    task: TaskId
    skill: str
    device: DeviceId
    failure: FailureKind | None = None
    """None: it succeeded."""
    reason: str = ""
    args: Mapping[str, Json] = field(default_factory=dict)
    """As the plan had them."""


def tries(facts: Iterable[f.Fact]) -> tuple[Try, ...]:
    """Return the tries of one run, in the order of placement.

    What was refused, cancelled or never ended says nothing; a lapsed attempt counts as failed
    unless its device reports later.
    """
    specs: dict[TaskId, tuple[str, Mapping[str, Json]]] = {}
    found: dict[AttemptId, Try] = {}
    ended: set[AttemptId] = set()
    for fact in facts:
        specs |= _specs(fact, specs)
        match fact:
            case f.TaskPlaced() if fact.task in specs:
                skill, args = specs[fact.task]
                found[fact.attempt] = Try(fact.task, skill, fact.device, args=args)
            case f.AttemptRejected() | f.AttemptCancelled():
                found.pop(fact.attempt, None)
            case _ if (end := _end(fact)) is not None and end[0] in found:
                attempt, failure, reason = end
                found[attempt] = replace(found[attempt], failure=failure, reason=reason)
                ended.add(attempt)
    return tuple(each for attempt, each in found.items() if attempt in ended)


_Specs: TypeAlias = Mapping[TaskId, tuple[str, Mapping[str, Json]]]
"""Task → its skill and arguments."""


def _specs(fact: f.Fact, before: _Specs) -> _Specs:
    found: dict[TaskId, tuple[str, Mapping[str, Json]]] = {}
    match fact:
        case f.EditAccepted():
            for edit in fact.edits:
                match edit:
                    case AddTask(spec) | ReplaceTask(spec):
                        found[spec.id] = spec.skill, spec.args
                    case SetArgs(task, args) if there := found.get(task) or before.get(task):
                        found[task] = there[0], args
                    case _:
                        pass
        case f.TaskExpanded():
            found |= {child.id: (child.skill, child.args) for child in fact.children}
        case _:
            pass
    return found


def _end(fact: f.Fact) -> tuple[AttemptId, FailureKind | None, str] | None:
    match fact:
        case f.AttemptSucceeded():
            return fact.attempt, None, ""
        case f.AttemptFailed():
            return fact.attempt, fact.kind, fact.detail
        case f.AttemptLost():
            return fact.attempt, FailureKind.DEVICE_LOST, fact.reason
        case f.AttemptLapsed():
            return fact.attempt, FailureKind.LEASE_LOST, fact.reason
        case f.AttemptUnknown():
            return fact.attempt, FailureKind.LEASE_LOST, fact.detail
        case _:
            return None


def remedies(tried: Iterable[Try], *, succeeded: bool) -> Iterator[tuple[Try, str]]:
    """Yield each failed try with what then worked, in words; empty: nothing did.

    Args:
        tried: the tries of one run.
        succeeded: whether the run came to a good end.
    """
    tasks: dict[TaskId, list[Try]] = {}
    for each in tried:
        tasks.setdefault(each.task, []).append(each)
    for row in tasks.values():
        worked = next((last for last in reversed(row) if last.failure is None), None)
        for each in row:
            if each.failure is not None:
                yield each, _remedy(each, worked, succeeded=succeeded)


def _remedy(failed: Try, worked: Try | None, *, succeeded: bool) -> str:
    if worked is None:
        return "doing without it worked" if succeeded else ""
    where = "there" if worked.device == failed.device else f"on {worked.device}"
    if worked.skill != failed.skill:
        return f"{worked.skill} {where} worked"
    args = {**failed.args, **worked.args}
    other = sorted(name for name in args if failed.args.get(name) != worked.args.get(name))
    if other:
        return f"another {', '.join(other)} {where} worked"
    return f"trying again {where} worked"
