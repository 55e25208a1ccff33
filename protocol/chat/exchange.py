"""What is said to a model and what comes back. See `Model`.

```
ModelError         there is no answer, and asking again would not help
└── TryAgainError  there is none this time
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from pydantic_core import to_json

from protocol.chat.tokens import PER_MESSAGE, estimate
from protocol.types import Json


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to be run."""

    id: str
    """The server's name for it, which the result repeats."""
    name: str
    arguments: str
    """Should be a JSON object; it is whatever the model said."""


@dataclass(frozen=True, slots=True)
class Called(Message):
    """An answer that asks for tools. Each call needs a `Returned` after it, in the same order."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Returned(Message):
    """What a tool came to."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model may ask for. Names have at most 64 letters, digits, `_` and `-`."""

    name: str
    description: str
    parameters: Mapping[str, Json]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class Call:
    """One question."""

    messages: tuple[Message, ...]
    form: str
    """What the schema is called."""
    schema: Mapping[str, Json] | None
    """What the answer must fit: JSON Schema with every property required and no others. None: it
    is free."""
    answer_tokens: int
    """How long the answer may be."""
    tools: tuple[Tool, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)
    """More fields of this request."""

    @property
    def prompt_tokens(self) -> int:
        """About how much is asked. O(its length)."""
        tools = sum(estimate(plain(each)) + PER_MESSAGE for each in self.tools)
        return tools + sum(cost(each) for each in self.messages)


def plain(tool: Tool) -> str:
    """Return all that there is to say of a tool, as JSON."""
    return to_json(
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    ).decode()


def cost(message: Message) -> int:
    """Return about how many tokens a message takes."""
    calls = message.calls if isinstance(message, Called) else ()
    asked = sum(estimate(each.name + each.arguments) + PER_MESSAGE for each in calls)
    return estimate(message.text) + PER_MESSAGE + asked


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: as the server counted them, or as `tokens.estimate` does."""

    prompt_tokens: int = 0
    answer_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.answer_tokens


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    """It reached a limit and is not whole."""
    REFUSED = "refused"
    """The model, or a filter of its server, does not answer this."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A refusal is an answer: its text says why, if anything does."""

    text: str
    finish: Finish
    usage: Usage
    calls: tuple[ToolCall, ...] = ()
    """The tools it asks for, in order; no two have the same id."""


class ModelError(Exception):
    """There is no answer, and asking again would not help.

    `usage` is what the failed call cost all the same.
    """

    def __init__(self, sentence: str, *, usage: Usage = Usage()) -> None:
        super().__init__(sentence)
        self.usage = usage


class TryAgainError(ModelError):
    """There is no answer this time; `retry_after_s` is what the server asks for, if it does."""

    def __init__(
        self,
        sentence: str,
        *,
        usage: Usage = Usage(),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence, usage=usage)
        self.retry_after_s = retry_after_s


class Model(Protocol):
    """Answers questions. Calls may run side by side; the caller cancels."""

    async def complete(self, call: Call) -> Reply:
        """Ask once.

        Raises:
            TryAgainError: it may answer later.
            ModelError: it will not.
        """
        ...
