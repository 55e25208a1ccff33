"""What is said to a model and what comes back. See `Model`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from orchestrator.planner import PlanningError
from protocol.types import Json


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One question."""

    messages: tuple[Message, ...]
    form: str
    """What the schema is called."""
    schema: Mapping[str, Json]
    """What the answer must fit: JSON Schema with every property required and no others."""
    answer_tokens: int
    """How long the answer may be."""


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


class ModelError(PlanningError):
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
