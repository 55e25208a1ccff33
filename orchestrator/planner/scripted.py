"""A planner that says what it was told to, for tests and benchmarks, and errs on purpose."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import TypeAlias, TypeVar

from orchestrator.core.edits import EditBatch
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.mistakes import Mistake, mistaken

R = TypeVar("R", PlanRequest, RevisionRequest)
Answer: TypeAlias = EditBatch | PlanningError | Callable[[R], EditBatch]
Script: TypeAlias = Answer[R] | Sequence[Answer[R]]


class ScriptedPlanner:
    """Answers from scripts: one answer is given again and again, a sequence once through.

    Args:
        proposals: what `propose` answers. A function makes the answer from the request, an error
            is raised.
        revisions: what `revise` answers; nothing at all by default.
        delay_s: how long it thinks before every answer.
        wrong: the share of the answers, 0 to 1, that are given with a mistake.
        mistakes: the ways of being wrong, each as likely.
        seed: where, with the request's own seed, the chance of being wrong comes from.
    """

    def __init__(
        self,
        proposals: Script[PlanRequest],
        revisions: Script[RevisionRequest] = (),
        *,
        delay_s: float = 0.0,
        wrong: float = 0.0,
        mistakes: Sequence[Mistake] = tuple(Mistake),
        seed: int = 0,
    ) -> None:
        self._proposals = _answers(proposals)
        self._revisions = _answers(revisions)
        self._delay_s = delay_s
        self._wrong = wrong
        self._mistakes = mistakes
        self._seed = seed
        self.asked: list[PlanRequest | RevisionRequest] = []
        """Every request so far, in order."""

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Give the next proposal."""
        return await self._answer(self._proposals, request, "propose")

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Give the next revision."""
        return await self._answer(self._revisions, request, "revise")

    async def _answer(self, answers: Iterator[Answer[R]], request: R, what: str) -> EditBatch:
        self.asked.append(request)
        chance = random.Random(f"{self._seed}|{request.seed}|{len(self.asked)}")
        answer = next(answers, PlanningError(f"the script has ended: it cannot {what}"))
        await asyncio.sleep(self._delay_s)
        if isinstance(answer, PlanningError):
            raise answer
        batch = answer if isinstance(answer, EditBatch) else answer(request)
        if chance.random() < self._wrong:
            return mistaken(batch, chance.choice(self._mistakes), chance)
        return batch


def _answers(script: Script[R]) -> Iterator[Answer[R]]:
    return iter(script) if isinstance(script, Sequence) else repeat(script)
