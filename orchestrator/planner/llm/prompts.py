"""Questions to a model, under a bound of tokens: pure.

What must be said is said whole: the request, or the failure and its task. The rest is lists, most
important lines first, which share the room that is left: a list that needs less than an equal
share gets what it needs. Results are never there whole unless they are short; they travel along
the edges of the graph.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from orchestrator.core.facts import Why
from orchestrator.core.model import DEFAULT_LIMITS, Op, Predicate, TaskSpec
from orchestrator.core.references import MissingError, look_up
from orchestrator.core.snapshot import TaskSnapshot
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.answers import editable
from orchestrator.planner.llm import texts
from orchestrator.planner.llm.catalogue import catalogue, once
from orchestrator.planner.llm.footprint import Footprint, footprint
from orchestrator.planner.llm.outline import brief, compact, result
from orchestrator.planner.llm.parse import Fault
from orchestrator.planner.llm.room import Listing, shared
from orchestrator.planner.llm.schema import Part, ProposalPart, RevisionPart, schema
from orchestrator.planner.refusals import Request
from protocol.chat.exchange import Message
from protocol.chat.tokens import PER_MESSAGE, clip, estimate
from protocol.types import Effect, Json, TaskId


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bounds of what is said and answered."""

    prompt_tokens: int = 12_000
    """Of a question, its schema included; one that asks to mend an answer has that beside it."""
    answer_tokens: int = 4_000
    result_characters: int = 400
    """Of a result; what is longer is summed up."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: instructions, the case, and the form of the answer."""

    system: str
    case: str
    form: type[Part]
    shown: tuple[TaskId, ...] = ()
    """The tasks of the run that are in it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An answer, and what is said about it."""

    answer: str
    faults: tuple[Fault, ...]


def propose(request: PlanRequest, tips: Sequence[str], sizes: Sizes) -> Question:
    """Ask for a first plan.

    Raises:
        PlanningError: the request is too long, or nobody is there to do it.
    """
    if not any(view.card.skills for view in request.fleet):
        raise PlanningError("no device is known that offers a skill: start one, and submit again")
    given = compact(dict(request.parameters))
    must = [texts.REQUEST.format(request=compact(request.request))]
    must += [texts.PARAMETERS.format(parameters=given)] if request.parameters else []
    must += _wanted(request)
    lists = [_refused(request), _tips(tips), *catalogue(request.fleet, request.request)]
    return _question(texts.PLAN, must, lists, form=ProposalPart, sizes=sizes)


def revise(request: RevisionRequest, tips: Sequence[str], sizes: Sizes) -> Question:
    """Ask to mend a plan.

    Raises:
        PlanningError: the run has no such task, or is too much to tell.
    """
    snapshot = request.snapshot
    part = footprint(snapshot, request.task)
    size, single = sizes.result_characters, once(request.fleet)
    counts = ", ".join(f"{n} {state}" for state, n in sorted(part.others.items()))
    must = [
        texts.REQUEST.format(request=clip(compact(snapshot.request), 4 * size)),
        *_wanted(request),
        _cause(request, part.task, size),
        texts.TASK.format(task=_waiting(part.task, 4 * size, single)),
        *([texts.OTHERS.format(counts=counts)] if counts else []),
    ]
    lists = [
        _refused(request),
        Listing(texts.PREDECESSORS, len(part.ancestors), _ancestors(part, size, single)),
        Listing(
            texts.SUCCESSORS,
            len(part.descendants),
            (f"- {_waiting(each, size, single)}" for each in part.descendants),
        ),
        _tips(tips),
        *catalogue(request.fleet, f"{part.task.spec.skill} {request.cause} {snapshot.request}"),
    ]
    return _question(texts.REVISE, must, lists, form=RevisionPart, sizes=sizes, shown=part.tasks)


def conversation(question: Question, turns: Sequence[Turn], sizes: Sizes) -> tuple[Message, ...]:
    """Return the question with what was answered so far, the last answer only if that is long."""
    first = (Message("system", question.system), Message("user", question.case))
    room = sizes.prompt_tokens + sizes.answer_tokens + _FAULTS_TOKENS
    said = [_said(turn, sizes) for turn in turns]
    if cost((*first, *chain(*said)), question.form) > room:
        said = said[-1:]
    return (*first, *chain(*said))


_FAULTS_TOKENS = 1500  # what is said about one answer
_FAULT = 400  # characters


def cost(messages: Iterable[Message], form: type[Part]) -> int:
    """Return about how many tokens a prompt has, its schema included."""
    said = sum(estimate(each.text) + PER_MESSAGE for each in messages)
    return said + estimate(compact(schema(form)))


def _said(turn: Turn, sizes: Sizes) -> tuple[Message, Message]:
    answer = turn.answer or texts.SILENCE  # some servers take no empty text
    if estimate(answer) > sizes.answer_tokens:
        answer = clip(answer, sizes.answer_tokens)  # a character is a token at most
    lines = (clip(compact(fault.told()), _FAULT) for fault in turn.faults)
    faults = shared([Listing(texts.REPAIR, len(turn.faults), lines)], _FAULTS_TOKENS)
    return Message("assistant", answer), Message("user", "".join(faults))


def _question(
    system: str,
    must: Sequence[str],
    lists: Sequence[Listing],
    *,
    form: type[Part],
    sizes: Sizes,
    shown: tuple[TaskId, ...] = (),
) -> Question:
    taken = cost((Message("system", system), Message("user", "\n".join(must))), form)
    room = sizes.prompt_tokens - taken
    if room < 0:
        raise PlanningError(
            f"the request takes about {taken} tokens: shorten it, or raise prompt_tokens in"
            f" [planner.llm] from {sizes.prompt_tokens}"
        )
    parts = shared([each for each in lists if each.count], room)
    return Question(system, "\n\n".join(("\n".join(must), *parts)), form, shown)


def _wanted(request: Request) -> list[str]:
    """Say what must come of it, and when."""
    wanted, left = request.deliverables, request.deadline_s
    said = [texts.DELIVERABLES.format(deliverables=compact(wanted))] if wanted else []
    return said + ([] if left is None else [texts.DEADLINE.format(seconds=round(left, 1))])


def _cause(request: RevisionRequest, row: TaskSnapshot, size: int) -> str:
    """Say what failed, or what came unexpected."""
    news = request.kind == Why.INFORMATION
    said = (texts.NEWS if news else texts.FAILURE).format(
        task=compact(request.task),
        revision=request.snapshot.revision,
        cause=clip(compact(request.cause), 4 * size),
        result=result(request.task, row.output, size),
    )
    if news:
        return said
    kind = [texts.KIND.format(kind=request.kind)] if request.kind else []
    tried = texts.TRIED.format(devices=compact(request.tried)) if request.tried else texts.UNTRIED
    return "\n".join((said, *kind, tried))


def _refused(request: Request) -> Listing:
    """Say what was wrong with the answer before, as far as that was for others to find."""
    lines = (f"- {clip(compact(each.detail), _FAULT)}" for each in request.refused)
    return Listing(texts.REFUSED, len(request.refused), lines)


def _tips(tips: Sequence[str]) -> Listing:
    return Listing(texts.TIPS, len(tips), (f"- {clip(tip, _TIP)}" for tip in tips))


_TIP = 400  # characters


def _ancestors(part: Footprint, size: int, single: frozenset[str]) -> Iterator[str]:
    for row in part.ancestors:
        name = row.spec.id
        said = result(name, row.output, size) if row.reason == "" else compact(row.reason)
        said = clip(said, 2 * size)
        for path in part.handed_on.get(name, ()):
            said += f"; {compact(list(path))} = {_handed_on(row.output, path, size)}"
        mark = ", once" if _effect(row.spec, single) == Effect.ONCE else ""
        yield f"- {compact(name)} ({row.spec.skill}, {row.state}{mark}): {said}"


def _handed_on(output: Json, path: Sequence[Json], size: int) -> str:
    try:
        value = look_up(output, path)
    except MissingError:
        return "(not there)"
    return brief(value, size // 2)


def _waiting(row: TaskSnapshot, size: int, single: frozenset[str]) -> str:
    mark = ", editable" if editable(row) else ""
    after = [
        f"{edge.predecessor}" if edge.on == "success" else f"{edge.predecessor} (on {edge.on})"
        for edge in row.dependencies
    ]
    behind = f" after {', '.join(after[:_AFTER])}" if after else ""
    return f"{compact(row.spec.id)} ({row.state}{mark}): {_spec(row.spec, size, single)}{behind}"


_AFTER = 20  # predecessors named


def _spec(spec: TaskSpec, size: int, single: frozenset[str]) -> str:
    """Say what a task is, as far as that is not the default; its arguments last, which are cut."""
    told: dict[str, Json] = {"skill": spec.skill}
    told |= {"effect": effect} if (effect := _effect(spec, single)) else {}
    told |= {"device": spec.needs.device} if spec.needs.device else {}
    told |= {"labels": dict(spec.needs.labels)} if spec.needs.labels else {}
    if each := spec.for_each:
        least: dict[str, Json] = {"min_success": each.min_success}
        told["for_each"] = {"items": each.source, "labels": dict(each.labels)} | (
            {} if each.min_success is None else least
        )
    if needs := spec.needs.resources:
        told["resources"] = [f"{need.kind}/{need.key}" for need in needs]
    if limits := _limits(spec):
        told["limits"] = limits
    told |= {"expect": _predicate(spec.expect)} if spec.expect else {}
    return clip(compact({**told, "args": spec.args}), size)


def _effect(spec: TaskSpec, single: frozenset[str]) -> Effect | None:
    """Return the task's own effect class, or ONCE where that is its skill's."""
    return spec.effect or (Effect.ONCE if spec.skill in single else None)


def _limits(spec: TaskSpec) -> dict[str, Json]:
    default = asdict(DEFAULT_LIMITS)
    return {name: each for name, each in asdict(spec.limits).items() if each != default[name]}


def _predicate(expect: Predicate) -> dict[str, Json]:
    value: dict[str, Json] = {"value": expect.value}
    alone = expect.op in {Op.EXISTS, Op.TRUTHY}
    return {"path": list(expect.path), "op": expect.op} | ({} if alone else value)
