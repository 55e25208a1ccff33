"""Solvable: a known device can do each task now, or one that may join could (AOP, section 3).

AOP: Li et al. 2024, "Agent-Oriented Planning in Multi-Agent Systems", arXiv 2410.02189. There a
reward model judges whether agents can solve a sub-task; here the cards of the devices do.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator.core.edits import Reason
from orchestrator.core.model import DEFAULT_NEEDS, TaskSpec
from orchestrator.core.references import FROM
from orchestrator.planner.arguments import Contract
from orchestrator.planner.checks.fleet import Fleet, Offers
from orchestrator.planner.checks.outputs import Reach, reach
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.scan import Path
from orchestrator.planner.refusals import contradictions
from protocol.types import Json


def solvable(plan: Plan, fleet: Fleet) -> Iterator[Reason]:
    """Yield what no device could ever do as it is asked."""
    for spec in plan.news:
        contracts = fleet.offers(spec).contracts
        for each in contracts:
            if _fits(spec.args, each):
                break
        else:
            for fault in contracts[0].faults(spec.args) if contracts else ():
                detail = f"task {spec.id!r}, skill {spec.skill!r}: {fault}"
                yield Reason("arguments", spec.id, detail)
        if spec.needs is not DEFAULT_NEEDS:  # most need nothing
            yield from contradictions(spec)
    for spec, source, path, verdict in _reached(plan, fleet):
        if verdict is Reach.IMPOSSIBLE:
            yield _no_output(spec, source, path, "its output cannot have that")


def lacking(plan: Plan, fleet: Fleet) -> Iterator[Reason]:
    """Yield what no known device could do now; one may yet join, or its output have more."""
    for spec in plan.news:
        if not fleet.offers(spec).all:
            yield Reason("no_device", spec.id, fleet.lack(spec))
        elif spec.needs.resources and not fleet.roomy(spec):
            needs = ", ".join(f"{r.amount:g} of {r.kind}" for r in spec.needs.resources)
            detail = f"task {spec.id!r} needs {needs}: no known device that could run it has that"
            yield Reason("capacity", spec.id, f"{detail} capacity; ask for less, or split it")
    for spec, source, path, verdict in _reached(plan, fleet):
        if verdict is Reach.UNDECLARED:
            yield _no_output(spec, source, path, "its skill does not declare that")


def _fits(args: Mapping[str, Json], wanted: Contract) -> bool:
    """Tell whether `Contract.faults` finds nothing. Any device will do that takes them."""
    known = wanted.arguments
    for name, value in args.items():
        argument = known.get(name)
        if argument is None:
            if wanted.closed:
                return False
        elif type(value) in argument.plain or (type(value) is dict and FROM in value):
            continue
        elif argument.fault(value) is not None:
            return False
    for name in wanted.required:  # noqa: SIM110 - all() takes twice as long
        if name not in args:
            return False
    return True


def _reached(plan: Plan, fleet: Fleet) -> Sequence[tuple[TaskSpec, TaskSpec, Path, Reach]]:
    """Return what is read and may not be there, on whatever device may run the source."""
    if fleet not in plan.unreached:  # advice asks again
        plan.unreached[fleet] = [
            (spec, source, path, verdict)
            for spec, source, path in (*plan.references, *plan.conditions)
            if (verdict := _reach(fleet.offers(source), source, path)) is not _POSSIBLE
        ]
    return plan.unreached[fleet]


_POSSIBLE: Final = Reach.POSSIBLE  # members of an enumeration take a while to look up


def _reach(offers: Offers, source: TaskSpec, path: Path) -> Reach:
    if source.for_each is None:
        return offers.reach(path)
    joined = reach(_JOINED, path)  # results, then a number, then what one of them has
    return offers.reach(path[2:]) if joined and path[0] == "results" and path[2:] else joined


_JOINED: Final[Mapping[str, Json]] = {
    "type": "object",
    "properties": {name: {"type": "array"} for name in ("results", "items", "missing")},
    "additionalProperties": False,
}
"""What a task comes to that ran for each of many items; see `ForEach`."""


def _no_output(spec: TaskSpec, source: TaskSpec, path: Path, why: str) -> Reason:
    place = ".".join(map(str, path))
    if spec is source:
        detail = f"task {spec.id!r} expects {place!r} of itself (skill {spec.skill!r}), and"
        return Reason("output", spec.id, f"{detail} {why}: expect something else, or nothing")
    detail = f"task {spec.id!r} reads {place!r} of {source.id!r} (skill {source.skill!r}), and"
    return Reason("output", spec.id, f"{detail} {why}: read something else")
