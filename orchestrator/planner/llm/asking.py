"""One answer of a model: within the budget, tried again where that helps, and recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.planner.llm import prompts
from orchestrator.planner.llm.budget import Account
from orchestrator.planner.llm.exchange import Call, Model, ModelError, Reply, TryAgainError, Usage
from orchestrator.planner.llm.prompts import Question, Sizes, Turn
from orchestrator.planner.llm.records import Exchange, Recorder
from orchestrator.planner.llm.retrying import backoff_s
from orchestrator.planner.llm.schema import schema


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
        self, question: Question, turns: Sequence[Turn], account: Account, *, seed: int
    ) -> Reply:
        """Ask a question, with what was answered so far; jitter comes from `seed`.

        Raises:
            PlanningError: there is no answer, or no more budget.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(account.seconds_left):
                return await self._ask(question, turns, account, seed)
        except TimeoutError as error:
            raise account.overdue() from error
        finally:
            account.seconds += loop.time() - began

    async def _ask(
        self, question: Question, turns: Sequence[Turn], account: Account, seed: int
    ) -> Reply:
        messages = prompts.conversation(question, turns, self.sizes)
        form, loop = question.form, asyncio.get_running_loop()
        wanted = Usage(prompts.cost(messages, form), self.sizes.answer_tokens)
        n = 0
        while True:
            n += 1
            held = account.hold(wanted)
            call = Call(messages, form.__name__, schema(form), held.answer_tokens)
            began = loop.time()
            try:
                reply = await self.model.complete(call)
            except ModelError as error:
                account.settle(held, error.usage)
                pause_s = self._pause_s(error, backoff_s(seed, f"model/{len(turns)}", n), n)
                if pause_s is None:
                    took_s = loop.time() - began
                    failed = Exchange(account.run, call, None, str(error), error.usage, took_s)
                    await self._record(failed)
                    raise
                await asyncio.sleep(pause_s)
            else:
                account.settle(held, reply.usage)
                took_s = loop.time() - began
                await self._record(Exchange(account.run, call, reply, "", reply.usage, took_s))
                return reply

    def _pause_s(self, error: ModelError, backoff_s: float, n: int) -> float | None:
        """Return how long to wait before another try; None where there is none."""
        if not isinstance(error, TryAgainError) or n >= self.rounds.tries:
            return None
        pause_s = max(backoff_s, error.retry_after_s or 0.0)
        return pause_s if pause_s <= self.rounds.retry_after_s else None

    async def _record(self, exchange: Exchange) -> None:
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.record, exchange)
