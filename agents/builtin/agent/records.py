"""What happened in the work on a task, in order, and what follows from it: pure.

A `Said` is an answer of the model. Each call in it that is carried out has a `Started` before it
and an `Ended` after it; what else the model is told is an `Ended` alone. So a `Started` without
an `Ended` is a call that may or may not have taken effect.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Final, Literal, TypeAlias, assert_never

from pydantic import Field, TypeAdapter
from pydantic_core import to_json

from agents.skills import Json
from protocol.chat import Called, Message, Returned, ToolCall, Usage
from protocol.types import Effect

SILENCE: Final = "(nothing)"  # some servers take no empty text


@dataclass(frozen=True, slots=True)
class Begun:
    """What it is about."""

    run: str
    task: str
    attempt: str
    question: str
    """The hash of what the attempt was given."""
    version: Literal[1] = 1
    kind: Literal["begun"] = "begun"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the model, in text or calls."""

    text: str
    calls: tuple[ToolCall, ...]
    usage: Usage
    kind: Literal["said"] = "said"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person said to a call."""

    call: int
    answer: Json
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class Started:
    """A skill is about to be called. `call` counts from 0 within one answer."""

    call: int
    attempt: str
    """What the skill takes for its attempt: no other call has the same."""
    skill: str
    args: Mapping[str, Json]
    effect: Effect
    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class Ended:
    """What the model is told of a call."""

    call: int
    text: str
    harmless: bool = False
    """It cannot have taken effect."""
    kind: Literal["ended"] = "ended"


@dataclass(frozen=True, slots=True)
class Told:
    """Why the last answer will not do."""

    text: str
    kind: Literal["told"] = "told"


@dataclass(frozen=True, slots=True)
class Done:
    """The result."""

    result: Json
    kind: Literal["done"] = "done"


Record: TypeAlias = Begun | Said | Answered | Started | Ended | Told | Done
_RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def line(record: Record) -> str:
    """Return a record as a line of JSON."""
    return to_json(asdict(record)).decode()


def read(text: str) -> Record:
    """Return the record of a line.

    Raises:
        ValueError: it is none.
    """
    return _RECORD.validate_json(text)


@dataclass(slots=True)
class Conversation:
    """What follows from the records so far."""

    messages: list[Message] = field(default_factory=list)
    """After the question."""
    question: str = ""
    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    done: Done | None = None
    effects: list[str] = field(default_factory=list)
    """The `once` skills that took effect, or may have, in order."""
    started: dict[int, Started] = field(default_factory=dict)
    """Calls of the last answer that have started and not ended."""
    _calls: tuple[ToolCall, ...] = ()
    _ended: int = 0

    @property
    def open(self) -> tuple[int, ToolCall] | None:
        """The next call of the last answer, if any is left."""
        n = self._ended
        return (n, self._calls[n]) if n < len(self._calls) else None

    @property
    def unanswered(self) -> bool:
        """Whether the model had the last word, and nobody took it."""
        return bool(self.messages) and self.messages[-1].role == "assistant"

    @property
    def in_doubt(self) -> Started | None:
        """The `once` call that may or may not have taken effect, if there is one."""
        once = (each for each in self.started.values() if each.effect is Effect.ONCE)
        return next(once, None)

    def apply(self, record: Record) -> None:
        """Go on with a record."""
        match record:
            case Said(text, calls, usage):
                self._said(text, calls, usage)
            case Started() as started:
                self.started[started.call] = started
            case Ended(call, text, harmless):
                before = self.started.pop(call) if call in self.started else None
                if before is not None and before.effect is Effect.ONCE and not harmless:
                    self.effects.append(before.skill)
                self.messages.append(Returned("tool", text, self._calls[call]))
                self._ended = call + 1
            case Told(text):
                self.messages.append(Message("user", text))
            case Done() as done:
                self.done = done
            case Begun():
                self.question = record.question
            case Answered():
                pass
            case _:
                assert_never(record)

    def _said(self, text: str, calls: tuple[ToolCall, ...], usage: Usage) -> None:
        self.steps += 1
        before = self.usage
        self.usage = Usage(
            before.prompt_tokens + usage.prompt_tokens, before.answer_tokens + usage.answer_tokens
        )
        self._calls, self._ended = calls, 0
        said = Called("assistant", text, calls) if calls else Message("assistant", text or SILENCE)
        self.messages.append(said)
