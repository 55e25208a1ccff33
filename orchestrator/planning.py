"""Who asks the planner: questions made of the present, answers judged, what is wrong asked again.

An answer is judged by the checks (`planner.answers`) and by the engine's own rules. What speaks
against it goes back to the planner, which then sees the run as it is by now. Whatever goes wrong
is data: every question ends in one event.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.decisions.outcomes import awaits_planner
from orchestrator.core.decisions.runs import MOVED
from orchestrator.core.edits import EditBatch, Reason
from orchestrator.core.engine import Engine
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.graph import judge
from orchestrator.core.model import Now
from orchestrator.core.parts import PART_EDITS
from orchestrator.core.state import Run
from orchestrator.planner import (
    DeviceView,
    NoRevisionError,
    Planner,
    PlanningError,
    PlanRequest,
    RevisionRequest,
)
from orchestrator.planner.refusals import Request, sentence
from protocol.types import TaskId

REPAIRS: Final = 2
"""How often a planner is told what is wrong with its answer, beyond what it asks itself."""

Judge: TypeAlias = Callable[[Request, EditBatch], Awaitable[tuple[Reason, ...]]]


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """How closely the answers of a planner are looked at."""

    repairs: int = REPAIRS
    """How often an answer that is wrong is asked again, at most."""
    judge: Judge | None = None
    """Says what speaks against an answer, beyond what the engine refuses; None: the checks."""


DEFAULT_SCRUTINY: Final = Scrutiny()


class Planning:
    """Carries the engine's questions to a planner.

    Args:
        engine: whose runs; only read here.
        planner: who answers; None: nobody does.
        handle: takes the event that a question ends in.
        clock: the one of the engine's events.
        scrutiny: how closely answers are looked at.
    """

    def __init__(
        self,
        engine: Engine,
        planner: Planner | None,
        *,
        handle: Callable[[e.Event], object],
        clock: Callable[[], Now],
        scrutiny: Scrutiny = DEFAULT_SCRUTINY,
    ) -> None:
        self._engine = engine
        self._planner = planner
        self._handle = handle
        self._clock = clock
        self._repairs = scrutiny.repairs
        self._judge = scrutiny.judge or (_checks() if planner else nobody)

    async def answer(self, ask: c.AskPlanner) -> None:
        """Have the planner answer; whatever goes wrong there is data."""
        event: e.Event
        try:
            async with asyncio.timeout(ask.limit_s):
                event = e.PlanProposed(ask.run, ask.ask, await self._batch(ask))
        except NoRevisionError:
            event = e.PlanFailed(ask.run, ask.ask, "")
        except PlanningError as error:
            event = e.PlanFailed(ask.run, ask.ask, str(error))
        except TimeoutError:
            detail = f"the planner did not answer within {ask.limit_s:g} s"
            event = e.PlanFailed(ask.run, ask.ask, detail)
        except Exception as error:  # noqa: BLE001 - a planner is somebody else's code: a task boundary
            detail = f"the planner failed: {type(error).__name__}: {error}"
            event = e.PlanFailed(ask.run, ask.ask, detail)
        try:
            self._handle(event)
        except RequestError as error:
            self._handle(e.PlanFailed(ask.run, ask.ask, str(error)))
        except UnknownRunError:
            pass  # it ended, and is forgotten

    async def _batch(self, ask: c.AskPlanner) -> EditBatch:
        """Ask until nothing speaks against the answer, or it is the same again."""
        refused: tuple[Reason, ...] = ()
        edits = None
        for _ in range(1 + self._repairs):
            run = self._engine.state.runs.get(ask.run)
            if run is None or not _stands(run, ask):
                raise NoRevisionError("nobody waits for the answer any more")
            request = self._request(run, ask, refused)
            batch = await self._asked(request)
            refused = await self._judge(request, batch) or _against(run, batch)
            if not refused:
                return batch
            if batch.edits == edits:
                break
            edits = batch.edits
        raise PlanningError(f"its plan cannot be used: {sentence(refused)}")

    async def _asked(self, request: Request) -> EditBatch:
        if self._planner is None:
            raise PlanningError("there is no planner: submit a plan with the request")
        if isinstance(request, PlanRequest):
            return await self._planner.propose(request)
        return await self._planner.revise(request)

    def _request(self, run: Run, ask: c.AskPlanner, refused: tuple[Reason, ...]) -> Request:
        """Return the question, as things are now."""
        state, now = self._engine.state, self._clock().elapsed
        views = tuple(DeviceView(each.card, each.online) for each in state.devices.values())
        submitted = run.submitted
        given = submitted.parameters if isinstance(submitted.parameters, dict) else {}
        due = state.timers.get(("run", run.id))
        left_s = None if due is None else due - now
        if ask.task is None:
            known = state.estimates.skills()
            return PlanRequest(
                run.id,
                submitted.request,
                given,
                views,
                submitted.seed,
                submitted.deliverables,
                left_s,
                refused,
                limit_s=ask.limit_s,
                usual_s={skill: state.estimates.reference(skill, None) for skill in known},
            )
        return RevisionRequest(
            self._engine.snapshot(run.id),
            ask.task,
            ask.cause,
            tuple(sorted(run.tasks[ask.task].excluded)),
            views,
            submitted.seed,
            ask.kind,
            submitted.deliverables,
            left_s,
            {} if left_s is None else self._ran_s(run, now),
            refused,
        )

    def _ran_s(self, run: Run, now: float) -> dict[TaskId, float]:
        attempts = self._engine.state.attempts.values() if run.charged else ()
        return {
            each.task: now - each.started_at
            for each in attempts
            if each.run == run.id and each.started_at is not None
        }


async def nobody(_request: Request, _batch: EditBatch) -> tuple[Reason, ...]:
    """Find nothing: a judge for comparisons."""
    return ()


def _checks() -> Judge:
    from orchestrator.planner.answers import judged  # noqa: PLC0415  jsonschema: 0.1 s

    return judged


def _stands(run: Run, ask: c.AskPlanner) -> bool:
    """Tell whether an answer is still of use: a person may have mended the task meanwhile."""
    task = run.tasks.get(ask.task) if ask.task is not None else None
    waits = ask.task is None or (task is not None and awaits_planner(task))
    return waits and ask.ask in run.asks


def _against(run: Run, batch: EditBatch) -> tuple[Reason, ...]:
    """Return what the engine would refuse and the planner can mend.

    What is only too late the engine refuses itself, and asks anew; a large batch is tried once.
    """
    if len(batch.edits) > PART_EDITS:
        return ()
    reasons = tuple(judge(run, batch).reasons)
    return () if any(each.rule in MOVED for each in reasons) else reasons
