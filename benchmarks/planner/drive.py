"""All requests of one arm at one rate of mistakes: a coordinator and its fleet on virtual time.

Requests come in at a steady pace and share the fleet, so that planning for one is felt by others
where anything makes it felt. Everything is the product's: coordinator, journal, agents and their
messages, over the transport in memory.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.planner.arms import ARMS
from benchmarks.planner.fleet import Site, fleet
from benchmarks.planner.judge import completed, right
from benchmarks.planner.ladder import Ladder
from benchmarks.planner.requests import Case, cases
from benchmarks.planner.stop_world import StopWorld
from benchmarks.virtual_clock import VirtualClockLoop
from orchestrator.core.model import RunLimits
from orchestrator.library import Orchestrator
from orchestrator.planner.scripted import FalliblePlanner
from orchestrator.planning import Scrutiny, nobody
from protocol.transport.memory import MemoryBroker

EVERY_S: Final = 6.0  # between two requests
THINKS_S: Final = 3.0  # for one answer
JOINING_S: Final = 2.0  # until every device is known


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm at one rate."""

    arm: str
    percent: int
    seed: int
    requests: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one request came to."""

    number: int
    category: str
    mistakes: tuple[str, ...]
    """What was wrong with the planner's first answer: the ground truth."""
    success: bool
    completed: float
    """The share of the right plan's tasks that were done."""
    status: str
    reason: str
    latency_s: float
    calls: int
    tokens: int
    accepted_first: bool | None
    revisions: int
    rules: tuple[str, ...]
    """What the planner was told."""


def outcomes(cell: Cell) -> list[Outcome]:
    """Return what every request of a cell came to, in their order."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(_Driving(cell, cases(cell.seed, cell.requests)).all())


class _Driving:
    """One cell under way."""

    def __init__(self, cell: Cell, every: Sequence[Case]) -> None:
        plans = {case.text: case.plan for case in every}
        self._arm = ARMS[cell.arm]
        self._cases = every
        self._erring = FalliblePlanner(
            lambda request: plans[request.request],
            wrong=cell.percent / 100,
            delay_s=THINKS_S,
            seed=cell.seed,
        )
        self._ladder = Ladder(
            self._arm,
            self._erring,
            {case.text: case for case in every},
            seed=cell.seed,
            now=lambda: asyncio.get_running_loop().time(),
        )

    async def all(self) -> list[Outcome]:
        broker, found = MemoryBroker(), list[Outcome]()
        stopping = StopWorld(self._ladder)
        planner = stopping if self._arm.stop_world else self._ladder
        orchestrator = Orchestrator(
            broker.transport("coordinator"),
            planner=planner,
            scrutiny=Scrutiny(
                repairs=0, judge=nobody
            ),  # each arm looks at answers as closely as it says
        )
        self._ladder.orchestrator = stopping.orchestrator = orchestrator
        site = Site({place: file for case in self._cases for place, file in case.files.items()})
        async with orchestrator, fleet(broker, site):
            await asyncio.sleep(JOINING_S)
            async with asyncio.TaskGroup() as group:
                for case in self._cases:
                    group.create_task(self._one(orchestrator, case, found), name=case.text)
                    await asyncio.sleep(EVERY_S)
        return sorted(found, key=lambda outcome: outcome.number)

    async def _one(self, orchestrator: Orchestrator, case: Case, found: list[Outcome]) -> None:
        slips = self._erring.slips(self._ladder.asked(case.text))
        now = asyncio.get_running_loop().time
        began = now()
        self._ladder.due[case.text] = began + case.due_s
        limits = RunLimits(revisions=self._arm.revisions, deadline_s=case.due_s)
        run = await orchestrator.submit(case.text, limits=limits)
        result = await run.result()
        seen, spent = run.snapshot(), self._ladder.spent[case.text]
        found.append(
            Outcome(
                case.number,
                case.category,
                tuple(slip.mistake.value for slip in slips),
                right(case, seen),
                completed(case, seen),
                result.status.value,
                result.reason,
                now() - began,
                spent.calls,
                spent.tokens,
                spent.accepted_first,
                spent.revisions,
                tuple(spent.rules),
            )
        )
