"""The shell of the judge: a queue of ended runs, and one question at a time.

Nobody waits for it. The queue is bounded: while it is full, runs that end are not judged. What
goes wrong is logged, and the run has no verdict. A restart begins with an empty queue.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from orchestrator.core.chance import unit
from orchestrator.planner.judging.bounds import DEFAULT_BOUNDS, Bounds
from orchestrator.planner.judging.outline import Outline
from orchestrator.planner.judging.question import question
from orchestrator.planner.judging.verdict import SCHEMA, UnfitError, Verdict, verdict
from protocol.chat.exchange import Call, Model, ModelError
from protocol.chat.retrying import pause_s
from protocol.telemetry import Level, write
from protocol.types import RunId

Look: TypeAlias = Callable[[RunId], Awaitable[Outline | None]]
"""Returns a run, or None if there is nothing to judge."""
Keep: TypeAlias = Callable[[RunId, Verdict], None]


class Judge:
    """Judges ended runs.

    Args:
        model: whom to ask.
        name: who is said to have judged.
        bounds: how much and how often.
        secrets: what must not be told, beside what looks like a secret.
    """

    def __init__(
        self,
        model: Model,
        *,
        name: str = "judge",
        bounds: Bounds = DEFAULT_BOUNDS,
        secrets: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._model = model
        self._bounds = bounds
        self._secrets = tuple(secrets)
        self._waiting = asyncio.Queue[RunId](bounds.waiting)

    def ended(self, run: RunId) -> None:
        """Take note of an ended run. Neither waits nor raises."""
        try:
            self._waiting.put_nowait(run)
        except asyncio.QueueFull:
            _not_judged(run, f"{self._bounds.waiting} runs wait for the judge already")

    async def run(self, look: Look, keep: Keep) -> None:
        """Judge what ended, one after the other, until cancelled. Raises nothing.

        Args:
            look: at a run, when its turn has come.
            keep: a verdict.
        """
        while True:
            run = await self._waiting.get()
            try:
                async with asyncio.timeout(self._bounds.verdict_s):
                    outline = await look(run)
                    found = await self._verdict(outline) if outline is not None else None
                if found is not None:
                    keep(run, found)
            except TimeoutError:
                _not_judged(run, f"no verdict within {self._bounds.verdict_s:g} s")
            except (ModelError, UnfitError) as error:
                _not_judged(run, str(error))
            except Exception as error:  # noqa: BLE001 - a judge harms nobody: a task boundary
                _not_judged(run, f"{type(error).__name__}: {error}")

    async def _verdict(self, outline: Outline) -> Verdict:
        bounds = self._bounds
        asking = partial(question, outline, bounds.prompt_tokens, self._secrets)
        messages = await asyncio.to_thread(asking)  # the search for secrets takes milliseconds
        call = Call(messages, "VerdictPart", SCHEMA, bounds.answer_tokens)
        n = 0
        while True:
            n += 1
            try:
                return verdict(await self._model.complete(call))
            except UnfitError:
                if n >= bounds.tries:
                    raise
            except ModelError as error:
                chance = unit(0, f"judge/{outline.run}", n)
                wait_s = pause_s(error, n, chance, tries=bounds.tries, longest_s=bounds.verdict_s)
                if wait_s is None:
                    raise
                await asyncio.sleep(wait_s)


def _not_judged(run: RunId, why: str) -> None:
    write(Level.WARNING, "not_judged", run=run, reason=why)
