"""What an unrelated branch feels of a planner that thinks for 20 s.

A task fails, and the planner is asked; beside it a chain of short tasks goes on. Measured in the
skill itself: from the start of one task of the chain to the start of the next, less what the task
takes. So a pause counts whether it delays a start or an end. The planner's answer is a plan of 200
tasks, which is checked and taken meanwhile; that counts too.

The clock jumps where nothing runs, and counts the CPU time of the loop where something does, so
20 s take one, and what others do on this machine does not count. Full collections of garbage are
rare, as in the coordinator's own process.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from typing import Final

from agents.runtime import Agent
from agents.skills import PermanentError, Skill, skill
from benchmarks.planner.arms import ARMS
from benchmarks.planner.stop_world import StopWorld
from benchmarks.virtual_clock import VirtualClockLoop
from orchestrator.collection import rare_full_collections
from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch, ReplaceTask
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.library import Orchestrator
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import check
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, TaskId

THINKS_S: Final = 20.0
CHAIN_S: Final = (*[0.01] * 200, *[0.1] * 175, *[0.01] * 300)
"""How long each task of the chain takes: so short, where the planner is asked and where it
answers, that no pause falls between two ends; the whole a little longer than it thinks."""
TASK_S: Final = 0.01  # what other tasks take
FAILS_S: Final = 1.0  # after the submission, whose parts are pauses of their own
NEWS: Final = 200  # tasks that the planner answers with
_WIDTH: Final = 8  # of them that may run at once
SLOTS: Final = 4


class CpuClockLoop(VirtualClockLoop):
    """A virtual clock that also runs on while its thread computes."""

    def time(self) -> float:
        """Return virtual time and CPU time together, in seconds."""
        return super().time() + time.thread_time()


class Thinker:
    """Mends what failed with a large plan, after long thought."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []
        """When it was asked, and when it answered."""

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Refuse: plans come with the requests here."""
        raise PlanningError(f"there is no plan for {request.request!r}")

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Put something that works in the place of what failed, and much behind it."""
        now = asyncio.get_running_loop().time
        began = now()
        await asyncio.sleep(THINKS_S)
        news = [TaskSpec(TaskId(f"new{n}"), "quick", {"number": n}) for n in range(NEWS)]
        edges = (Dependency(news[n].id, news[n + _WIDTH].id) for n in range(len(news) - _WIDTH))
        mended = ReplaceTask(TaskSpec(request.task, "quick", {"number": NEWS}))
        edits: tuple[Edit, ...] = (mended, *map(AddTask, news), *map(AddDependency, edges))
        batch = EditBatch(request.snapshot.revision, edits)
        cards = [view.card for view in request.fleet]
        if reasons := check(batch, cards, snapshot=request.snapshot):
            raise PlanningError(reasons[0].detail)
        self.asked.append((began, now()))
        return batch


def gap_ms(arm: str) -> float:
    """Return the longest gap in the chain during the call, in milliseconds, in an arm."""
    with rare_full_collections(), asyncio.Runner(loop_factory=CpuClockLoop) as runner:
        return 1e3 * runner.run(_longest(stop_world=ARMS[arm].stop_world))


async def _longest(*, stop_world: bool) -> float:
    links, thinker = list[tuple[float, float]](), Thinker()
    stopping = StopWorld(thinker)
    async with _site(_skills(links), stopping if stop_world else thinker) as orchestrator:
        stopping.orchestrator = orchestrator
        run = await orchestrator.submit("a chain beside something broken", plan=_plan())
        result = await run.result()
    assert result.succeeded, result.reason
    ((asked, answered),) = thinker.asked
    return max(
        after - before - takes_s
        for (before, takes_s), (after, _) in pairwise(links)
        if after > asked and before < answered + takes_s
    )


def _skills(links: list[tuple[float, float]]) -> Iterator[Skill]:
    now = asyncio.get_running_loop().time

    @skill
    async def link(seconds: float) -> None:
        """Note when it starts, and take some time."""
        links.append((now(), seconds))
        await asyncio.sleep(seconds)

    @skill
    async def quick(number: int) -> int:
        """Take as long, and say which one it was."""
        await asyncio.sleep(TASK_S)
        return number

    @skill
    async def broken() -> None:
        """Fail, when the plan has long been taken."""
        await asyncio.sleep(FAILS_S)
        raise PermanentError("broken")

    yield from (link, quick, broken)


@asynccontextmanager
async def _site(
    skills: Iterator[Skill], planner: StopWorld | Thinker
) -> AsyncIterator[Orchestrator]:
    """Start a device for each skill: the branches wait for nobody's slots but their own."""
    broker = MemoryBroker()
    async with AsyncExitStack() as stack:
        orchestrator = Orchestrator(broker.transport("coordinator"), planner=planner)
        await stack.enter_async_context(orchestrator)
        for each in skills:
            name = each.info.name
            card = DeviceCard(DeviceId(name), slots=SLOTS)
            agent = Agent(card, [each], transport=broker.transport(name))
            await stack.enter_async_context(agent)
        yield orchestrator


def _plan() -> EditBatch:
    names = [TaskId(f"t{n}") for n in range(len(CHAIN_S))]
    chain = [
        AddTask(TaskSpec(name, "link", {"seconds": takes_s}))
        for name, takes_s in zip(names, CHAIN_S, strict=True)
    ]
    edges = [AddDependency(Dependency(*pair)) for pair in pairwise(names)]
    return EditBatch(0, (AddTask(TaskSpec(TaskId("broken"), "broken")), *chain, *edges))
