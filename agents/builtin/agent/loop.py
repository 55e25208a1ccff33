"""The work on one task: the model is asked, what it calls is called, until it gives the result.

Every call passes what an offer would: the skill is one that the caller may use, its arguments fit
its schema, the lease is live before a `once` skill. What goes wrong with a call is told to the
model as data. Steps and tokens count for all attempts on this device together, seconds for each.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Final

from pydantic_core import to_json

from agents.agent_settings import AgentSection
from agents.builtin.agent import texts
from agents.builtin.agent.records import Answered, Done, Ended, Said, Started, Told
from agents.builtin.agent.results import Result
from agents.builtin.agent.toolbox import Toolbox, decision, must_approve
from agents.builtin.agent.transcripts import Transcript
from agents.calls import do
from agents.skills import (
    Context,
    LeaseLostError,
    PermanentError,
    Skill,
    TemporaryError,
)
from protocol.chat import (
    Account,
    Call,
    Finish,
    Message,
    Model,
    ModelError,
    Reply,
    SpentError,
    ToolCall,
    TryAgainError,
    Usage,
)
from protocol.chat.redaction import redact
from protocol.chat.retrying import pause_s
from protocol.chat.tokens import clip
from protocol.types import AttemptId, Effect, Failed, FailureKind, Json, Outcome, Succeeded

QUESTION: Final = 8000  # characters that a person can be expected to read


@dataclass(frozen=True, slots=True)
class Mind:
    """Who works on tasks, and within which bounds."""

    model: Model
    toolbox: Toolbox
    settings: AgentSection
    secrets: tuple[str, ...] = ()

    def redacted(self, text: str) -> str:
        """Return a text as others may see it."""
        return redact(text, self.secrets)


class Loop:
    """One attempt.

    Args:
        mind: who works.
        context: of the attempt.
        transcript: what was done before, and what will be.
        opening: the messages that every question begins with.
        result: what the result must be.
        extra: fields of each request, which keep its prefix in the server's cache.
    """

    def __init__(
        self,
        mind: Mind,
        context: Context,
        transcript: Transcript,
        *,
        opening: Sequence[Message],
        result: Result,
        extra: Mapping[str, Json],
    ) -> None:
        self.account = Account(mind.settings.budget)
        self._mind = mind
        self._context = context
        self._transcript = transcript
        self._opening = tuple(opening)
        self._result = result
        self._extra = extra
        self._chance = Random(context.attempt)
        self._talk = transcript.conversation
        self.account.add(self._talk.usage)

    async def run(self) -> Json:
        """Work until there is a result.

        Raises:
            SkillError: there will be none; its type says whether another attempt may go on.
        """
        while self._talk.done is None:
            if open_call := self._talk.open:
                await self._use(*open_call)
            else:
                await self._step()
        return self._talk.done.result

    # The model

    async def _step(self) -> None:
        limit = self._mind.settings.steps
        if self._talk.steps >= limit:
            raise self._given_up(f"{limit} steps", "steps")
        if self._talk.unanswered:
            await self._transcript.add(Told(texts.LOST))
        self._context.progress(self._share, f"step {self._talk.steps + 1}")
        reply = await self._reply()
        await self._transcript.add(Said(reply.text, reply.calls, reply.usage))
        if reply.finish is Finish.REFUSED:
            why = f": {clip(self._mind.redacted(reply.text), 500)}" if reply.text else ""
            raise PermanentError(f"the model refuses{why}")
        cut_off = reply.finish is Finish.LENGTH
        if reply.calls and cut_off:  # the last of them is not whole, and nobody knows what it had
            for n in range(len(reply.calls)):
                await self._end(n, Failed(FailureKind.BAD_INPUT, self._cut_off()))
        elif not reply.calls:
            await self._conclude(reply.text, cut_off=cut_off)

    async def _conclude(self, text: str, *, cut_off: bool) -> None:
        if cut_off:
            await self._transcript.add(Told(self._cut_off()))
        elif not text.strip():
            await self._transcript.add(Told(texts.EMPTY))
        else:
            result, why = self._result.read(text)
            told = Told(texts.UNFIT.format(why=why)) if why else Done(result)
            await self._transcript.add(told)

    def _cut_off(self) -> str:
        return texts.CUT_OFF.format(tokens=self._mind.settings.answer_tokens)

    async def _reply(self) -> Reply:
        """Ask until there is an answer; errors are the model's."""
        settings, n = self._mind.settings, 0
        messages = (*self._opening, *self._talk.messages)
        tools, extra = self._mind.toolbox.tools, self._extra
        call = Call(messages, "", None, settings.answer_tokens, tools, extra)
        while True:
            n += 1
            try:
                return await self._try(call)
            except ModelError as error:
                chance = self._chance.random()
                tries, longest_s = settings.tries, settings.retry_after_s
                wait_s = pause_s(error, n, chance, tries=tries, longest_s=longest_s)
                if wait_s is None:
                    later = isinstance(error, TryAgainError)
                    raise (TemporaryError if later else PermanentError)(str(error)) from error
            async with self._timed():
                await asyncio.sleep(wait_s)

    async def _try(self, call: Call) -> Reply:
        wanted = Usage(call.prompt_tokens, call.answer_tokens)
        try:
            held = self.account.hold(wanted)
        except SpentError as error:
            raise self._given_up(str(error), error.bound) from error
        try:
            async with self._timed():
                reply = await self._mind.model.complete(
                    replace(call, answer_tokens=held.answer_tokens)
                )
        except ModelError as error:
            self.account.settle(held, error.usage)
            raise
        self.account.settle(held, reply.usage)
        return reply

    @asynccontextmanager
    async def _timed(self, *, to_the_end: bool = False) -> AsyncIterator[None]:
        """Count time, and stop when none is left, unless what began must come to its end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(None if to_the_end else self.account.seconds_left):
                yield
        except TimeoutError as error:
            raise self._given_up(str(self.account.overdue()), "seconds") from error
        finally:
            self.account.seconds += loop.time() - began

    def _given_up(self, what: str, setting: str) -> PermanentError:
        return PermanentError(
            f"the {what} that a task may take are used up: raise {setting} in [skills.agent], or"
            f" ask for less. {done_so_far(self._talk.effects)}"
        )

    # Calls

    async def _use(self, n: int, call: ToolCall) -> None:
        before = self._talk.started.get(n)
        if before and before.effect is Effect.ONCE:
            detail = f"{texts.STOPPED}: {texts.IN_DOUBT}"
            await self._end(n, Failed(FailureKind.DEVICE_LOST, detail))
            return
        found = self._mind.toolbox.find(call)
        if isinstance(found, Failed):
            await self._end(n, found)
            return
        skill, args = found
        agreed = await self._agreed(n, skill, args)
        if isinstance(agreed, Failed):
            await self._end(n, agreed)
            return
        note = texts.EDITED.format(args=to_json(agreed).decode()) if agreed != args else ""
        await self._call(n, skill, agreed, note)

    async def _call(self, n: int, skill: Skill, args: Mapping[str, Json], note: str) -> None:
        info, once = skill.info, skill.info.effect is Effect.ONCE
        if once:
            self._context.guard()
        self._context.progress(self._share, f"step {self._talk.steps}: {info.name}")
        attempt = AttemptId(f"{self._context.attempt}/{self._talk.steps}.{n}")
        started = Started(n, attempt, info.name, args, info.effect)
        await self._transcript.add(started, sync=once)
        async with self._timed(to_the_end=once):
            context = replace(self._context, attempt=attempt, on_progress=self._progress)
            outcome = await do(skill, context, args)
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.LEASE_LOST:
            raise LeaseLostError(outcome.detail)
        if once and isinstance(outcome, Failed) and not _harmless(outcome):
            outcome = replace(outcome, detail=f"{outcome.detail} ({texts.IN_DOUBT})")
        await self._end(n, outcome, note)

    def _progress(self, _share: float, note: str) -> None:
        self._context.progress(self._share, note)

    @property
    def _share(self) -> float:
        return self._talk.steps / self._mind.settings.steps

    async def _agreed(
        self, n: int, skill: Skill, args: Mapping[str, Json]
    ) -> Mapping[str, Json] | Failed:
        """Ask a person if need be; return the arguments to go on with, or why not to."""
        if not must_approve(self._mind.settings.needs_approval, skill.info.name, args):
            return args
        said = self._mind.redacted(to_json(args).decode())
        if len(said) > QUESTION:
            detail = f"the arguments are too long for a person to approve: at most {QUESTION}"
            return Failed(FailureKind.BAD_INPUT, f"{detail} characters")
        try:
            question = texts.APPROVE.format(skill=skill.info.name, args=said)
            answer = await self._context.ask(question)
        except PermanentError as error:
            detail = texts.NOBODY.format(why=error)
            return Failed(FailureKind.BAD_INPUT, detail)
        await self._transcript.add(Answered(n, answer))
        decided = decision(answer, args)
        if decided.args is None:
            why = f": {decided.words}" if decided.words else ""
            return Failed(FailureKind.BAD_INPUT, f"{texts.REFUSED}{why}")
        return decided.args

    async def _end(self, n: int, outcome: Outcome, note: str = "") -> None:
        text = self._mind.redacted(note + _told(outcome))
        shown = clip(text, self._mind.settings.result_characters)
        await self._transcript.add(Ended(n, shown, _harmless(outcome)))


def done_so_far(effects: Iterable[str]) -> str:
    """Say which calls took effect, or may have."""
    done = ", ".join(effects)
    return f"Carried out before: {done}." if done else "No `once` skill was called before."


def _harmless(outcome: Outcome) -> bool:
    """Tell whether a call cannot have taken effect."""
    return isinstance(outcome, Failed) and outcome.kind is FailureKind.BAD_INPUT


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Succeeded):
        output = outcome.output
        return output if isinstance(output, str) else to_json(output).decode()
    known = {name: value for name, value in asdict(outcome).items() if value is not None}
    return to_json({"error": known}).decode()
