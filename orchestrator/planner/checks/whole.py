"""All checks of a batch, together."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from orchestrator.core.edits import EditBatch, Reason
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.checks.complete import Goal, complete, makers
from orchestrator.planner.checks.feasible import feasible
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.redundant import needless, redundant, unordered
from orchestrator.planner.checks.solvable import lacking, solvable
from orchestrator.planner.checks.structure import structure
from orchestrator.planner.checks.work import NO_TIMES, Times
from protocol.types import DeviceCard

_EMPTY: Final = Reason("empty", None, "the plan is empty: it needs at least one task")


def check(
    batch: EditBatch,
    cards: Iterable[DeviceCard],
    *,
    snapshot: RunSnapshot | None = None,
    times: Times = NO_TIMES,
    goal: Goal | None = None,
) -> tuple[Reason, ...]:
    """Return why the batch must not be committed; nothing where it may.

    Args:
        batch: a plan, or an edit of one.
        cards: the known devices.
        snapshot: the run that it edits; None for a first plan.
        times: deadlines, windows and downtimes, where there are any.
        goal: what was asked for. Only for plans that a model or a script made from words.
    """
    found = findings(Plan.of(batch, snapshot), Fleet.of(cards), times, goal) if batch.edits else {}
    return tuple(reason for reasons in found.values() for reason in reasons) or (
        () if batch.edits else (_EMPTY,)
    )


def findings(
    plan: Plan, fleet: Fleet, times: Times = NO_TIMES, goal: Goal | None = None
) -> Mapping[str, tuple[Reason, ...]]:
    """Return what each check that could be made has found; in a cycle nothing has an order."""
    found: dict[str, tuple[Reason, ...]] = {
        "structure": tuple(structure(plan)),
        "solvable": tuple(solvable(plan, fleet)),
    }
    if goal is not None:
        found["complete"] = tuple(complete(plan, fleet, goal))
    if not plan.cyclic:
        wanted = makers(plan, fleet, goal.deliverables) if goal else ()
        found["redundant"] = tuple(redundant(plan, fleet, wanted))
        found["feasible"] = tuple(feasible(plan, fleet, times))
    return found


def advise(
    batch: EditBatch, cards: Iterable[DeviceCard], *, snapshot: RunSnapshot | None = None
) -> tuple[Reason, ...]:
    """Return what may be wrong, or may change while the run goes on."""
    return tuple(hints(Plan.of(batch, snapshot), Fleet.of(cards)))


def hints(plan: Plan, fleet: Fleet) -> Iterator[Reason]:
    """Yield what `advise` returns."""
    yield from lacking(plan, fleet)
    if not plan.cyclic:
        yield from needless(plan)
        yield from unordered(plan, fleet)
