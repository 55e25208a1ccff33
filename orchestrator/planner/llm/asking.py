"""One answer of a model: within the budget, tried again where that helps, and recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.chance import unit
from orchestrator.planner import PlanningError
from orchestrator.planner.llm import prompts
from orchestrator.planner.llm.budget import Account
from orchestrator.planner.llm.prompts import Question, Sizes, Turn
from orchestrator.planner.llm.records import Exchange, Recorder
from orchestrator.planner.llm.schema import schema
from protocol.chat.budget import SpentError
from protocol.chat.exchange import Call, Model, ModelError, Reply, Usage
from protocol.chat.retrying import pause_s


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often to ask."""

    repairs: int = 3
    """Further answers, after the first one, to a question."""
    tries: int = 4
    """Of the server, for one answer."""
    retry_after_s: float = 60.0
    """The longest pause that a server may ask for."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, how much and how often."""

    model: Model
    sizes: Sizes
    rounds: Rounds
    recorder: Recorder | None

    async def ask(
        self,
        question: Question,
        turns: Sequence[Turn],
        account: Account,
        *,
        seed: int,
        candidate: int = 0,
    ) -> Reply:
        """Ask a question, with what was answered so far; jitter comes from `seed`.

        A `candidate` from 1 on is to be another answer: the model is given a seed for it.

        Raises:
            PlanningError: there is no answer, or no more budget.
        """
        clock = asyncio.get_running_loop().time
        try:
            with account.waiting(clock):
                async with asyncio.timeout(account.seconds_left):
                    return await self._ask(question, turns, account, seed, candidate)
        except TimeoutError as error:
            raise account.spent(account.overdue()) from error
        except SpentError as error:
            raise account.spent(error) from error

    async def _ask(
        self,
        question: Question,
        turns: Sequence[Turn],
        account: Account,
        seed: int,
        candidate: int,
    ) -> Reply:
        messages = prompts.conversation(question, turns, self.sizes)
        form, loop = question.form, asyncio.get_running_loop()
        wanted = Usage(prompts.cost(messages, form), self.sizes.answer_tokens)
        extra = {"seed": int(unit(seed, "candidate", candidate) * 2**31)} if candidate else {}
        n = 0
        while True:
            n += 1
            held = account.hold(wanted)
            call = Call(messages, form.__name__, schema(form), held.answer_tokens, extra=extra)
            began = loop.time()
            try:
                reply = await self.model.complete(call)
            except ModelError as error:
                account.settle(held, error.usage)
                wait_s = self._pause_s(error, n, unit(seed + candidate, f"model/{len(turns)}", n))
                if wait_s is None:
                    took_s = loop.time() - began
                    failed = Exchange(account.run, call, None, str(error), error.usage, took_s)
                    await self._record(failed)
                    raise PlanningError(str(error)) from error
                await asyncio.sleep(wait_s)
            else:
                account.settle(held, reply.usage)
                took_s = loop.time() - began
                await self._record(Exchange(account.run, call, reply, "", reply.usage, took_s))
                return reply

    def _pause_s(self, error: ModelError, n: int, chance: float) -> float | None:
        rounds = self.rounds
        return pause_s(error, n, chance, tries=rounds.tries, longest_s=rounds.retry_after_s)

    async def _record(self, exchange: Exchange) -> None:
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.record, exchange)
