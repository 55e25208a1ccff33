"""What runs teach, and what planners are told of it: the shell around `planner.memory`.

Memory is files, and so is asked in threads. Whatever goes wrong there is a line in the log, and
harms no run.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from orchestrator.coordinator import Coordinator
from orchestrator.core.errors import OrchestratorError, UnknownRunError
from orchestrator.core.facts import Fact, TaskPlaced
from orchestrator.core.state import Device
from orchestrator.planner import PlanRequest, RevisionRequest
from orchestrator.planner.checks.scoring import History
from orchestrator.planner.choosing import Known
from orchestrator.planner.memory import Finished, LearningError, Memory, MemoryBusyError, Work
from orchestrator.planner.playbook.plan import Playbook
from protocol.telemetry import Level, write
from protocol.types import DeviceId, RunId

MOST_TASKS: Final = 2000  # of a run, children included: to freeze more takes longer than 5 ms
PAGE: Final = 512  # journal entries read at once
AGAIN_AFTER_S: Final = (0.1, 0.5, 2.0)  # another process writes the store for milliseconds
ADVICE_S: Final = 5.0  # a planner goes on without what takes longer; reading 200 works took 1.6 s
CLASSES: Final = ("class", "role")
"""Labels that say what kind of device one is, the first that there is."""
_LEVELS: Final[Sequence[tuple[tuple[type[Exception], ...], Level]]] = (
    ((LearningError, UnknownRunError), Level.DEBUG),  # there is nothing in it
    ((OrchestratorError, OSError), Level.WARNING),
    ((Exception,), Level.ERROR),
)

Tips: TypeAlias = Callable[[PlanRequest | RevisionRequest], Awaitable[Sequence[str]]]


class Experience:
    """What the runs of a coordinator teach a memory, or the one in a folder."""

    def __init__(self, memory: Memory | Path) -> None:
        self._memory = Memory(memory, now=wall) if isinstance(memory, Path) else memory
        self._told: frozenset[str] = frozenset()
        """Damaged files that the log names already."""

    async def learn(self, coordinator: Coordinator, run: RunId) -> None:
        """Learn from a run, adopt and retract what is due; call it for one run at a time."""
        with _harmless("run_not_learned", run=run):
            work = await self._record(await finished(coordinator, run))
            if work and (path := await asyncio.to_thread(self._memory.adopt_due, work)):
                write(Level.INFO, "playbook_adopted", work=work.name, path=str(path))
        with _harmless("playbook_not_retracted", run=run):
            for path in await asyncio.to_thread(self._memory.retract_due):
                write(Level.WARNING, "playbook_retracted", run=run, path=str(path))

    async def tell_damage(self) -> None:
        """Log the files that cannot be read, each once."""
        with _harmless("memory_damaged"):
            problems = await asyncio.to_thread(lambda: self._memory.problems)
            for problem in problems:
                if problem not in self._told:
                    write(Level.WARNING, "memory_damaged", reason=problem)
            self._told = frozenset(problems)

    async def _record(self, run: Finished) -> Work | None:
        for pause_s in AGAIN_AFTER_S:
            try:
                return await asyncio.to_thread(self._memory.record, run)
            except MemoryBusyError:
                await asyncio.sleep(pause_s)
        return await asyncio.to_thread(self._memory.record, run)


async def finished(coordinator: Coordinator, run: RunId) -> Finished:
    """Return what memory takes, of a run that ended.

    Raises:
        LearningError: it is too large.
        UnknownRunError: it was forgotten, perhaps while its facts were being read.
        JournalError: the journal cannot be read.
    """
    state = coordinator.engine.state
    row = state.runs.get(run)
    if row is not None and len(row.tasks) > MOST_TASKS:
        raise LearningError(f"run {run} has more than {MOST_TASKS} tasks")
    facts: list[Fact] = []
    after, at = 0, 0.0
    while page := await coordinator.journal.entries(after, run=run, limit=PAGE):
        after, at = page[-1].seq, page[-1].wall
        facts += (entry.fact for entry in page)
    snapshot = coordinator.engine.snapshot(run)  # it is still known: so no fact was missing
    return Finished(snapshot, facts, at, classes(state.devices, facts))


def classes(devices: Mapping[DeviceId, Device], facts: Iterable[Fact]) -> Mapping[DeviceId, str]:
    """Return the class of each device that worked on a run, where its labels say one."""
    used = {fact.device: None for fact in facts if isinstance(fact, TaskPlaced)}
    labels = {each: devices[each].card.labels for each in used if each in devices}
    return {
        device: said[key]
        for device, said in labels.items()
        if (key := next((key for key in CLASSES if key in said), None)) is not None
    }


class Books(Protocol):
    """Somebody who plans from playbooks."""

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        """By name, as they are now."""
        ...


async def no_advice(_request: PlanRequest | RevisionRequest) -> Sequence[str]:
    """Know nothing."""
    return ()


def advice(memory: Memory, books: Books | None = None) -> Tips:
    """Return what has a planner told of similar works, playbooks too, and of what failed."""

    async def told(request: PlanRequest | RevisionRequest) -> Sequence[str]:
        with _harmless("no_advice"):
            async with asyncio.timeout(ADVICE_S):
                known = [*books.playbooks.values()] if books else ()
                return await asyncio.to_thread(memory.advice, request, known)
        return ()

    return told


def history(memory: Memory) -> Known:
    """Return what tells how often skills succeeded on devices; nothing, if need be."""

    async def told() -> History:
        with _harmless("no_history"):
            async with asyncio.timeout(ADVICE_S):
                return await asyncio.to_thread(memory.history)
        return {}

    return told


def wall() -> float:
    """Return the wall time, in any thread: seconds since the epoch."""
    return time.time()  # noqa: TID251 - memory asks in threads, where the loop's clock is not


@contextmanager
def _harmless(event: str, **keys: str) -> Iterator[None]:
    """Write a line for whatever goes wrong, and go on: nothing here may harm a run."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a task boundary
        level = next(level for kinds, level in _LEVELS if isinstance(error, kinds))
        write(level, event, **keys, reason=str(error) or type(error).__name__)
