"""A planner that asks a model, and has it mend what it gets wrong.

Each answer is parsed and checked; what is wrong with it goes back as data, up to a bound of
rounds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

from orchestrator.core.edits import EditBatch
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.llm import prompts
from orchestrator.planner.llm.asking import Asking, Rounds
from orchestrator.planner.llm.budget import Accounts
from orchestrator.planner.llm.prompts import Question, Sizes, Turn
from orchestrator.planner.llm.records import Recorder
from orchestrator.planner.llm.verdict import Verdict, proposed, revised
from protocol.chat import Budget
from protocol.chat.exchange import Model, Reply
from protocol.chat.tokens import clip

T = TypeVar("T")
Request: TypeAlias = PlanRequest | RevisionRequest
Tips: TypeAlias = Callable[[Request], Awaitable[Sequence[str]]]
"""What experience says about a request, best first."""
ROWS: Final = 200
"""Tasks and devices that are looked through on the loop, in about 5 ms; more are in a thread."""
CHARACTERS_A_ROW: Final = 20
DEFAULT_SIZES: Final = Sizes()
DEFAULT_ROUNDS: Final = Rounds()
DEFAULT_BUDGET: Final = Budget()


async def no_tips(_request: Request) -> Sequence[str]:
    """Know nothing."""
    return ()


class LlmPlanner:
    """Plans by asking a model.

    Args:
        model: whom to ask.
        sizes: bounds of a question and an answer.
        rounds: bounds of how often.
        budget: bounds of what a run may spend.
        recorder: keeps every exchange, if given.
        tips: what experience says about a request.
    """

    def __init__(
        self,
        model: Model,
        *,
        sizes: Sizes = DEFAULT_SIZES,
        rounds: Rounds = DEFAULT_ROUNDS,
        budget: Budget = DEFAULT_BUDGET,
        recorder: Recorder | None = None,
        tips: Tips = no_tips,
    ) -> None:
        self.accounts = Accounts(budget)
        """What runs have spent."""
        self._model = model
        self._sizes = sizes
        self._rounds = rounds
        self._recorder = recorder
        self._tips = tips

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Ask for a first plan."""
        tips = await self._tips(request)
        question = await _off_loop(
            partial(prompts.propose, request, tips, self._sizes), size=_size(request)
        )
        return await self._answer(request, question, partial(proposed, request))

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Ask to mend the plan; the answer reads what was shown."""
        tips = await self._tips(request)
        question = await _off_loop(
            partial(prompts.revise, request, tips, self._sizes), size=_size(request)
        )
        return await self._answer(request, question, partial(revised, request, question))

    async def _answer(
        self, request: Request, question: Question, judge: Callable[[Reply], Verdict]
    ) -> EditBatch:
        run = request.run if isinstance(request, PlanRequest) else request.snapshot.run
        asking = Asking(self._model, self._sizes, self._rounds, self._recorder)
        account = self.accounts.of(run)
        candidate = request.candidate if isinstance(request, PlanRequest) else 0
        turns: list[Turn] = []
        for _ in range(1 + self._rounds.repairs):
            reply = await asking.ask(
                question, turns, account, seed=request.seed, candidate=candidate
            )
            size = _size(request) + len(reply.text) // CHARACTERS_A_ROW
            verdict = await _off_loop(partial(judge, reply), size=size)
            if isinstance(verdict, EditBatch):
                return verdict
            turns.append(Turn(reply.text, verdict))
        last = turns[-1].faults[0].detail
        raise PlanningError(
            f"the model gave {len(turns)} answers and no plan that can be used, the last since"
            f" {clip(last, 300)}: ask in other words, raise repairs in [planner.llm], or take"
            " another model"
        )


async def _off_loop(work: Callable[[], T], *, size: int) -> T:
    """Do pure work, in a thread where it is so much that others would feel it."""
    return work() if size <= ROWS else await asyncio.to_thread(work)


def _size(request: Request) -> int:
    tasks = 0 if isinstance(request, PlanRequest) else len(request.snapshot.tasks)
    return tasks + len(request.fleet)
