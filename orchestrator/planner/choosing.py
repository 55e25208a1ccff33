"""Several plans for one request, made side by side, and the best of them by `checks.score`."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from orchestrator.core.edits import EditBatch
from orchestrator.planner import Planner, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import Goal, Times, score
from orchestrator.planner.checks.scoring import History
from protocol.types import DeviceCard, DeviceId

Known: TypeAlias = Callable[[], Awaitable[History]]
"""Returns how often skills succeeded on devices."""
PATIENCE: Final = 0.5
"""Share of the time after which one plan is enough."""


async def nothing_known() -> History:
    """Know nothing."""
    return {}


class ChoosingPlanner:
    """Has another planner make several first plans, and takes the best; see `Planner`.

    All are asked at once, so it takes as long as the slowest, within half of the time: what is
    there then is chosen from, and what is not is cancelled. Only if nothing is there, the first
    that comes is taken. Revisions are made once: a run waits for them.

    Args:
        planner: who makes the plans; it answers to another `PlanRequest.candidate` otherwise.
        count: how many, from 1.
        limit_s: how long the planner may take for a run, where that is less than the request says.
        known: how often skills succeeded on devices.
    """

    def __init__(
        self,
        planner: Planner,
        count: int,
        *,
        limit_s: float = math.inf,
        known: Known = nothing_known,
    ) -> None:
        self._planner = planner
        self._count = count
        self._limit_s = limit_s
        self._known = known

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Return the best plan; of equals the first.

        Raises:
            PlanningError: there is none; it says why there is no first one.
        """
        each = [replace(request, candidate=n) for n in range(self._count)]
        wait_s = PATIENCE * min(request.limit_s, self._limit_s)
        plans = await _gathered([partial(self._planner.propose, one) for one in each], wait_s)
        if len(plans) == 1:
            return plans[0]
        history = await self._known()
        return await asyncio.to_thread(best, plans, request, history)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Mend the plan, once."""
        return await self._planner.revise(request)


def best(plans: Sequence[EditBatch], request: PlanRequest, history: History) -> EditBatch:
    """Return the plan with the best score; of equals the first. Pure."""
    cards = [view.card for view in request.fleet if view.online]
    deadline = math.inf if request.deadline_s is None else request.deadline_s
    times = Times(deadline=deadline, seconds=_seconds(request, cards))
    goal = Goal(request.request, request.deliverables)
    keys = [score(each, cards, times=times, goal=goal, history=history).key for each in plans]
    return plans[keys.index(min(keys))]


def _seconds(
    request: PlanRequest, cards: Iterable[DeviceCard]
) -> Mapping[tuple[str, DeviceId], float]:
    usual_s = request.usual_s
    return {
        (skill.name, card.device): usual_s[skill.name] / card.speed
        for card in cards
        for skill in card.skills
        if skill.name in usual_s
    }


async def _gathered(
    makers: Sequence[Callable[[], Awaitable[EditBatch]]], wait_s: float
) -> Sequence[EditBatch]:
    """Return the plans that there are when all are made, or after `wait_s`, and one at least.

    Raises:
        PlanningError: nobody has made one; the reason is the first one's.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + wait_s
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_made(each), name=f"candidate {n}") for n, each in enumerate(makers)
        ]
        open_ = set(tasks)
        while open_ and ((left := ends - loop.time()) > 0 or not any(map(_there, tasks))):
            limit_s = left if 0 < left < math.inf else None
            _, open_ = await asyncio.wait(
                open_, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
        for task in open_:
            task.cancel()
    found = [task.result() for task in tasks if not task.cancelled()]
    plans = [each for each in found if isinstance(each, EditBatch)]
    if not plans:
        raise next(each for each in found if isinstance(each, PlanningError))
    return plans


async def _made(make: Callable[[], Awaitable[EditBatch]]) -> EditBatch | PlanningError:
    try:
        return await make()
    except PlanningError as error:
        return error


def _there(task: asyncio.Task[EditBatch | PlanningError]) -> bool:
    if not task.done() or task.cancelled() or task.exception() is not None:
        return False
    return isinstance(task.result(), EditBatch)
