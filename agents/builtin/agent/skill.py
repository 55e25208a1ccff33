"""The skill `agent.do`, and what came of an attempt that was cut off."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python

from agents.agent_settings import AgentSection
from agents.builtin.agent import texts
from agents.builtin.agent.loop import Loop, Mind, done_so_far
from agents.builtin.agent.records import Started
from agents.builtin.agent.results import Result
from agents.builtin.agent.toolbox import Toolbox
from agents.builtin.agent.transcripts import Transcript, Transcripts
from agents.calls import look_up
from agents.keys import file_name, filled
from agents.skills import BadInputError, Context, Json, Skill, SkillError, skill
from agents.warm.adapters.llm import LlmSession
from protocol.artifacts import Artifact
from protocol.chat import Message, Model
from protocol.chat.client import HttpModel, described
from protocol.types import AttemptId, Failed, FailureKind, Outcome, Succeeded, Unknown

NAME: Final = "agent.do"
TABLE: Final = "skills.agent"
RESOURCE: Final = "llm"
"""The kind of the session that a task may name as a need."""
_PREFIX: Final = TypeAdapter(tuple[Message, ...])
INLINE: Final = 16_000  # characters of a transcript where no artifacts are kept


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a task."""

    result: Json
    steps: int
    """Answers of the model."""
    prompt_tokens: int
    answer_tokens: int
    cost: float
    """In the currency of the owner's prices."""
    effects: list[str]
    """The `once` skills that took effect, or may have, in order."""
    transcript: Artifact | str
    """JSON lines without secrets; the last of them where no artifacts are kept."""


class Worker:
    """The skill over what the owner allows."""

    def __init__(self, mind: Mind, transcripts: Transcripts, skills: Mapping[str, Skill]) -> None:
        self._mind = mind
        self._transcripts = transcripts
        self._skills = skills

    async def do(
        self,
        context: Context,
        task: str,
        *,
        data: Json = None,
        result_schema: Mapping[str, Json] | None = None,
    ) -> Report:
        """Have a model do a task with the skills of this device; the result may have a schema."""
        result = Result(result_schema)
        session = _session(context)
        words = [texts.SYSTEM, task]
        if data is not None:
            words[1] += texts.DATA.format(data=to_json(data).decode())
        if result_schema is not None:
            words[0] += texts.SCHEMA.format(schema=to_json(result_schema).decode())
        question = [task, data, result_schema]
        async with self._transcripts.begun(context, question) as transcript:
            loop = Loop(
                self._mind,
                context,
                transcript,
                opening=_opening(session, *words),
                result=result,
                extra=self._extra(session, context),
            )
            return await self._report(context, transcript, await loop.run())

    async def reconcile(self, context: Context, _args: Mapping[str, Json]) -> Outcome:
        """Read what came of an attempt from its transcript."""
        transcript = await self._transcripts.find(context)
        if transcript is None:
            return Unknown("there is no transcript of it on this device")
        talk = transcript.conversation
        if talk.done:
            report = await self._report(context, transcript, talk.done.result)
            return Succeeded(to_jsonable_python(report))
        done = done_so_far(talk.effects)
        if doubt := talk.in_doubt:
            found = await self._look_up(context, doubt)
            if found is None:
                why = f"{doubt.skill} was started, did not end, and may have taken effect"
                return Unknown(f"{why}. {done}")
            done += f" {doubt.skill} was cut off, and {found}."
        why = f"it was cut off after {talk.steps} answers of the model"
        return Failed(FailureKind.TRANSIENT, f"{why}. {done}")

    async def _look_up(self, context: Context, doubt: Started) -> str | None:
        """Ask a skill what came of a call; None if it cannot tell."""
        if doubt.skill not in self._skills:
            return None
        there = replace(context, attempt=AttemptId(doubt.attempt))
        match await look_up(self._skills[doubt.skill], there, doubt.args):
            case Succeeded():
                return "took effect"
            case Failed():
                return "took no effect"
            case _:
                return None

    def _extra(self, session: LlmSession | None, context: Context) -> Mapping[str, Json]:
        name = session.id if session else file_name(f"{context.run}/{context.task}")
        own = {
            key: filled(value, session=name) if isinstance(value, str) else value
            for key, value in self._mind.settings.extra.items()
        }
        return {**own, **(session.hints if session else {})}

    async def _report(self, context: Context, transcript: Transcript, result: Json) -> Report:
        talk, usage = transcript.conversation, transcript.conversation.usage
        lines = await asyncio.to_thread(lambda: [*map(self._mind.redacted, transcript.lines)])
        return Report(
            result,
            talk.steps,
            usage.prompt_tokens,
            usage.answer_tokens,
            self._mind.settings.budget.cost(usage),
            talk.effects,
            await _shared(context, lines) or _last(lines),
        )


def skills(
    settings: AgentSection,
    others: Iterable[Skill],
    *,
    permits: Callable[[str], bool],
    folder: Path | None,
    model: Model | None = None,
    environment: Mapping[str, str] | None = None,
) -> Sequence[Skill]:
    """Make the skill.

    Args:
        settings: which model, and what it may do.
        others: all skills of the device.
        permits: whether everyone who may call `agent.do` may use a skill; see `permitted`.
        folder: of the transcripts; None promises nothing after a crash.
        model: in place of the one that the settings describe.
        environment: has the key; that of this process if left out.

    Raises:
        SettingsError: the key is not where it should be.
    """
    there = {each.info.name: each for each in others if each.info.name != NAME}
    toolbox = Toolbox(there.values(), settings.allow, permits)
    endpoint = described(settings, TABLE, os.environ if environment is None else environment)
    if model is None:
        # Other fields of a request go by the call: some name its session.
        plain = replace(endpoint, extra={})
        model = HttpModel(plain, patience=settings.patience, dialect=settings.dialect)
    mind = Mind(model, toolbox, settings, endpoint.secrets)
    worker = Worker(mind, Transcripts(folder), there)
    return (skill(NAME, effect=toolbox.effect, reconcile=worker.reconcile)(worker.do),)


def permitted(policy: Mapping[str, Sequence[str]] | None, name: str) -> bool:
    """Tell whether everyone whom a policy lets call `agent.do` may use a skill.

    By the same line: who called is not known here, and two lines may speak of different callers.
    """
    granting = [
        skills
        for skills in (policy or {}).values()
        if any(fnmatchcase(NAME, pattern) for pattern in skills)
    ]
    return all(any(fnmatchcase(name, pattern) for pattern in skills) for skills in granting)


def _session(context: Context) -> LlmSession | None:
    """Return the session that the task names as a need, if it does."""
    with suppress(BadInputError):
        found = context.resource(RESOURCE)
        if isinstance(found, LlmSession):
            return found
    return None


def _opening(session: LlmSession | None, system: str, request: str) -> Sequence[Message]:
    """Return what all questions begin with: what is in the server's cache comes first."""
    if session is None or not session.prefix:
        return Message("system", system), Message("user", request)
    prefix = _PREFIX.validate_python(
        [{"role": each["role"], "text": each["content"]} for each in session.prefix]
    )
    return *prefix, Message("user", f"{system}\n\n{request}")


async def _shared(context: Context, lines: Sequence[str]) -> Artifact | None:
    """Share a transcript, where that is possible: the work is done either way."""
    if context.artifacts is None:
        return None
    with suppress(SkillError), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "transcript.jsonl")
        await asyncio.to_thread(path.write_text, "\n".join(lines) + "\n", encoding="utf-8")
        return await context.share(path)
    return None


def _last(lines: Sequence[str]) -> str:
    """Return the last of the lines, as many as there is room for."""
    text = "\n".join(lines)
    return text if len(text) <= INLINE else "…" + text[-INLINE:]
