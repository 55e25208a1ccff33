"""The planner of the suite: the reference, wrong at a rate, and changed as an arm says.

What the harness may change while the coordinator runs is in a small file, read before every
answer. A wrong answer is drawn for each question. Answers pass the product's checks, as those of a
model do: what a check refuses is asked for again. What no check finds shows when a task fails:
then the planner is asked for the whole plan once more, and the run is mended to fit it.
"""

import asyncio
import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.crossdevice import notes
from benchmarks.crossdevice.arms import ARMS, ArmPlanner
from benchmarks.crossdevice.mending import Plan
from benchmarks.crossdevice.reference import ReferencePlanner
from benchmarks.planner.stop_world import StopWorld
from orchestrator.core.edits import EditBatch
from orchestrator.library import Orchestrator
from orchestrator.planner import NoRevisionError, Planner, PlanRequest, RevisionRequest
from orchestrator.planner.answers import against
from orchestrator.planner.mistakes import STRUCTURAL, mistaken

FILE: Final = "planner.json"
MISTAKES: Final = "mistakes.jsonl"
ROUNDS: Final = 6  # answers to one question at most


@dataclass(frozen=True, slots=True)
class PlannerControl:
    """What the harness may change.

    Attributes:
        arm: one of `arms.ARMS`.
        wrong: the share of answers that have a mistake.
        seed: of these.
    """

    arm: str = "ours"
    wrong: float = 0.0
    seed: int = 0

    def write(self, playbooks: Path) -> None:
        """Put it in the place of what was there, whole."""
        draft = playbooks / f"{FILE}.new"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(playbooks / FILE)


class ErringPlanner:
    """The reference planner, some of whose answers have a mistake.

    Args:
        planner: who knows the right answers.
        wrong: the share of answers with a mistake.
        seed: of these.
        file: of the notes, one for each answer that had a mistake.
    """

    def __init__(self, planner: ReferencePlanner, *, wrong: float, seed: int, file: Path) -> None:
        self._planner = planner
        self._wrong = wrong
        self._file = file
        self._chance = random.Random(seed)

    async def propose(self, request: PlanRequest) -> EditBatch:
        """See `Planner`."""
        return self._answer(request, await self._planner.propose(request))

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Answer as the reference does; where it has no answer, plan anew and mend the run.

        The parts of a `for_each` are in no plan: what is to be mended is the whole.
        """
        try:
            return self._answer(request, await self._planner.revise(request))
        except NoRevisionError:
            if not self._wrong:
                raise
        right = Plan(await self._planner.again(request.snapshot))
        if right.has_part(request.task) or right.is_that_of(request.snapshot):
            raise NoRevisionError("the run is what the plan says")
        return self._answer(request, right.mended(request.snapshot, request.task))

    def _answer(self, request: PlanRequest | RevisionRequest, right: EditBatch) -> EditBatch:
        """Answer until the checks find nothing, or the rounds are over."""
        run = request.run if isinstance(request, PlanRequest) else request.snapshot.run
        batch = right
        for _ in range(ROUNDS):
            batch = self._spoilt(right)
            if batch == right:
                break
            notes.add(self._file, run, batch.base_revision)
            if not against(request, batch, worded=True):
                break
        return batch

    def _spoilt(self, batch: EditBatch) -> EditBatch:
        if self._chance.random() >= self._wrong:
            return batch
        for mistake in self._chance.sample(STRUCTURAL, len(STRUCTURAL)):
            worse = mistaken(batch, mistake, self._chance)
            if worse != batch:  # not every plan has a place for every mistake
                return worse
        return batch


class SuitePlanner:
    """Who answers in the suite.

    Args:
        folders: see `ReferencePlanner`; the last one has the file of the control.
        model: who plans in the arm `model`.
    """

    def __init__(self, folders: Iterable[Path], *, model: Planner | None = None) -> None:
        folders = tuple(folders)
        self.orchestrator: Orchestrator | None = None
        """Whose runs are stopped where the arm says so; set by whoever runs it."""
        self._reference = ReferencePlanner(folders)
        self._model = model
        self._file = folders[-1] / FILE
        self._read_as = ""
        self._planner = self._made()

    async def propose(self, request: PlanRequest) -> EditBatch:
        """See `Planner`."""
        return await self._present().propose(request)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """See `Planner`."""
        return await self._present().revise(request)

    def _present(self) -> "StopWorld | _Thinking":
        """Return who answers now; a new one, with its own luck, when the file has changed."""
        text = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
        if text != self._read_as:
            self._read_as = text
            self._planner = self._made()
        return self._planner

    def _made(self) -> "StopWorld | _Thinking":
        control = PlannerControl(**json.loads(self._read_as or "{}"))
        arm = ARMS[control.arm]
        planner: Planner = ErringPlanner(
            self._reference,
            wrong=control.wrong,
            seed=control.seed,
            file=self._file.with_name(MISTAKES),
        )
        if arm.model and self._model is not None:  # the command line asks for both
            planner = self._model
        thinking = _Thinking(ArmPlanner(planner, arm), arm.thinks_s)
        if not arm.stops:
            return thinking
        stopping = StopWorld(thinking)
        stopping.orchestrator = self.orchestrator
        return stopping


class _Thinking:
    """A planner that takes its time."""

    def __init__(self, planner: ArmPlanner, thinks_s: float) -> None:
        self._planner = planner
        self._thinks_s = thinks_s

    async def propose(self, request: PlanRequest) -> EditBatch:
        await asyncio.sleep(self._thinks_s)
        return await self._planner.propose(request)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        await asyncio.sleep(self._thinks_s)
        return await self._planner.revise(request)


def mistakes(playbooks: Path, run: str) -> int:
    """Return how many answers of a run had a mistake; checks may have found it."""
    return len(notes.of(playbooks / MISTAKES, run))
