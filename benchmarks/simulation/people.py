"""People in a world: they answer questions, settle lost outcomes, edit, pause and cancel."""

import asyncio
import random
from collections.abc import Callable, Collection
from contextvars import Context
from typing import Final

from benchmarks.simulation.coordinators import Coordinators
from benchmarks.simulation.store import Store
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, AddTask, CancelTask, Edit, EditBatch, SetArgs
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, On, TaskSpec
from orchestrator.core.snapshot import RunSnapshot
from protocol.types import Failed, FailureKind, RunId, Succeeded, TaskId

THINKS_S: Final = (1.0, 20.0)
PAUSE_S: Final = (1.0, 8.0)


class People:
    """Those who watch a run and steer it.

    Args:
        group: where they act.
        coordinators: whom they talk to.
        store: where they look whether something has happened.
        chance: where their ideas come from.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        coordinators: Coordinators,
        *,
        store: Store,
        chance: random.Random,
    ) -> None:
        self._group = group
        self._coordinators = coordinators
        self._store = store
        self._chance = chance
        self._added = 0

    def see(self, fact: f.Fact) -> None:
        """Notice what became durable, and react in a while."""
        match fact:
            case f.InputRequested(run, task):
                self._later(e.AnswerInput(run, task, "yes", "somebody"))
            case f.TaskUnknown(run, task):
                self._group.create_task(self._look(run, task), context=Context())
            case _:
                pass

    async def steer(self, run: RunId) -> None:
        """Have ideas about a run, until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(2.0, 15.0))
            await self._chance.choices(
                [self._pause, self._cancel_task, self._add_task, self._set_args, self._cancel],
                [3, 2, 3, 3, 1],
            )[0](run)

    def _later(self, event: e.Event) -> None:
        async def act() -> None:
            await asyncio.sleep(self._chance.uniform(*THINKS_S))
            await self._coordinators.tell(event)

        self._group.create_task(act(), context=Context())  # not in the name of who told us

    async def _look(self, run: RunId, task: TaskId) -> None:
        await asyncio.sleep(self._chance.uniform(*THINKS_S))
        happened = self._store.effects[run, task]
        outcome = (
            Succeeded("it is there")
            if happened
            else Failed(FailureKind.SKILL_ERROR, "somebody looked: it is not there")
        )
        await self._coordinators.tell(e.SettleUnknown(run, task, outcome, "somebody"))

    async def _pause(self, run: RunId) -> None:
        await self._coordinators.tell(e.PauseRun(run))
        await asyncio.sleep(self._chance.uniform(*PAUSE_S))
        await self._coordinators.tell(e.ResumeRun(run))

    async def _cancel(self, run: RunId) -> None:
        await self._coordinators.tell(e.CancelRun(run, "somebody wants it no more"))

    async def _cancel_task(self, run: RunId) -> None:
        await self._edit(run, lambda seen: (CancelTask(self._pick(seen, list(TaskState))),))

    async def _add_task(self, run: RunId) -> None:
        self._added += 1
        name = TaskId(f"extra{self._added}")
        spec = TaskSpec(name, "compute", {"seconds": 1.0})
        await self._edit(
            run,
            lambda seen: (
                AddTask(spec),
                AddDependency(Dependency(self._pick(seen, list(TaskState)), name, On.COMPLETION)),
            ),
        )

    async def _set_args(self, run: RunId) -> None:
        early = {TaskState.WAITING, TaskState.READY, TaskState.RECOVERING}
        # Not of a `once` task: that would be to ask for it again.
        await self._edit(
            run,
            lambda seen: (SetArgs(self._pick(seen, early, once=False), {"seconds": 0.5}),),
        )

    async def _edit(self, run: RunId, make: Callable[[RunSnapshot], tuple[Edit, ...]]) -> None:
        life = self._coordinators.present
        if life.ended or run not in life.orchestrator.coordinator.engine.state.runs:
            return
        seen = life.orchestrator.run(run).snapshot()
        batch = EditBatch(seen.revision, make(seen))
        await self._coordinators.tell(e.EditRequested(run, "somebody", batch))

    def _pick(
        self, seen: RunSnapshot, states: Collection[TaskState], *, once: bool = True
    ) -> TaskId:
        fitting = [
            task.spec.id
            for task in seen.tasks
            if task.state in states and (once or task.spec.skill != "act")
        ]
        return self._chance.choice(fitting or [TaskId("nothing")])
