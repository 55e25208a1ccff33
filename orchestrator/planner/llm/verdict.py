"""What to think of a model's answer: pure."""

from typing import TypeAlias, TypeVar

from orchestrator.core.edits import EditBatch
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.answers import against
from orchestrator.planner.llm import edits
from orchestrator.planner.llm.parse import Fault, parse
from orchestrator.planner.llm.prompts import Question
from orchestrator.planner.llm.schema import Part, ProposalPart, RevisionPart
from protocol.chat.exchange import Finish, Reply
from protocol.chat.tokens import clip

P = TypeVar("P", bound=Part)
SHOWN = 500  # characters of what a model says to people

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
    return _stated(answer.cannot, batch) or _checked(request, batch)


def revised(request: RevisionRequest, question: Question, reply: Reply) -> Verdict:
    """Judge the change of a plan, which reads what the question showed.

    Raises:
        PlanningError: the model refuses, or says that nothing helps.
    """
    answer = _parsed(reply, RevisionPart)
    if not isinstance(answer, RevisionPart):
        return answer
    specs = {row.spec.id: row.spec for row in request.snapshot.tasks}
    batch = edits.revision(answer, request.snapshot.revision, question.shown, specs)
    return _stated(answer.cannot, batch) or _checked(request, batch)


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


def _checked(request: PlanRequest | RevisionRequest, batch: EditBatch) -> Verdict:
    """Judge a batch as whoever asked will, and as one that was made from words."""
    return tuple(map(Fault.of, against(request, batch, worded=True))) or batch
