"""What to think of a model's answer: pure."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeVar, assert_never

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    Edit,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import DeviceView, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import advise, check
from orchestrator.planner.llm import edits
from orchestrator.planner.llm.footprint import editable
from orchestrator.planner.llm.parse import Fault, parse
from orchestrator.planner.llm.prompts import Question
from orchestrator.planner.llm.schema import Part, ProposalPart, RevisionPart
from protocol.chat.exchange import Finish, Reply
from protocol.chat.tokens import clip
from protocol.types import TaskId

P = TypeVar("P", bound=Part)
SHOWN = 500  # characters of what a model says to people
UNFIT = frozenset({"no_device"})
"""Advice that a model's plan must follow: it guessed a name, and knows of no device to come. Other
advice is not worth a question of its own."""

Verdict: TypeAlias = EditBatch | tuple[Fault, ...]
"""A batch that may be used, or what is wrong."""


def proposed(request: PlanRequest, reply: Reply) -> Verdict:
    """Judge a first plan.

    Raises:
        PlanningError: the model refuses, or says that there is no plan.
    """
    answer = _parsed(reply, ProposalPart)
    if not isinstance(answer, ProposalPart):
        return answer
    batch = edits.proposal(answer)
    return _stated(answer.cannot, batch) or _checked(batch, request.fleet, None)


def revised(request: RevisionRequest, question: Question, reply: Reply) -> Verdict:
    """Judge the change of a plan, which reads what the question showed.

    Raises:
        PlanningError: the model refuses, or says that nothing helps.
    """
    answer = _parsed(reply, RevisionPart)
    if not isinstance(answer, RevisionPart):
        return answer
    batch = edits.revision(answer, request.snapshot.revision, question.shown)
    return _stated(answer.cannot, batch) or _checked(batch, request.fleet, request.snapshot)


def _parsed(reply: Reply, form: type[P]) -> P | tuple[Fault, ...]:
    if reply.finish is Finish.REFUSED:
        why = f": {clip(reply.text, SHOWN)}" if reply.text else ""
        raise PlanningError(f"the model refuses{why}; ask in other words, or submit a plan")
    answer = parse(reply.text, form)
    if isinstance(answer, tuple) and reply.finish is Finish.LENGTH:
        tokens = reply.usage.answer_tokens
        return (Fault("length", f"the answer was cut off after {tokens} tokens: say it shorter"),)
    return answer


def _stated(cannot: str | None, batch: EditBatch) -> tuple[Fault, ...]:
    if not cannot:
        return ()
    if not batch.edits:
        why = clip(cannot, SHOWN)
        raise PlanningError(f"the model sees no way: {why}; ask in other words, or submit a plan")
    detail = "it says in 'cannot' that there is no way, and yet has changes: say one of both"
    return (Fault("schema", detail, where="cannot"),)


def _checked(
    batch: EditBatch, fleet: Sequence[DeviceView], snapshot: RunSnapshot | None
) -> Verdict:
    cards = [view.card for view in fleet]
    reasons = check(batch, cards, snapshot=snapshot)
    advice = advise(batch, cards)
    started = tuple(_started(batch, snapshot))
    if not reasons and not started and all(each.rule not in UNFIT for each in advice):
        return batch
    return (*started, *map(Fault.of, (*reasons, *advice)))


def _started(batch: EditBatch, snapshot: RunSnapshot | None) -> Iterator[Fault]:
    """Yield the edits of what may not be edited any more (I7); the engine has the last word."""
    fixed = {row.spec.id: row for row in snapshot.tasks if not editable(row)} if snapshot else {}
    for edit in batch.edits:
        task = _written(edit)
        if task in fixed:
            detail = f"task {task!r} is {fixed[task].state}: it may only be cancelled"
            yield Fault("started", detail, task)


def _written(edit: Edit) -> TaskId | None:
    match edit:
        case ReplaceTask(spec):
            return spec.id
        case AddDependency(dependency):
            return dependency.successor
        case RemoveDependency(_, successor):
            return successor
        case SetArgs(task) | RemoveTask(task):
            return task
        case AddTask() | CancelTask():
            return None
        case _:
            assert_never(edit)
