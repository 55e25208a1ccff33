"""What an OpenAI-compatible server understands, and how a question is put to it: pure.

A server that does not know a part of a request says so with status 400 or 422, in words of its
own; the next request leaves that part out. Each step gives up one thing for good, so that the
steps come to an end.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from pydantic_core import to_json

from orchestrator.planner.llm import texts
from orchestrator.planner.llm.exchange import Call
from protocol.types import Json

COMPLAINTS: Final = frozenset({400, 422, 501})
"""Statuses with which a server may refuse a part of a request."""


class Format(StrEnum):
    """How a server is made to answer in JSON, strongest first."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    TEXT = "text"
    """Not at all: the words of the question ask for it."""


class Limit(StrEnum):
    """What a server calls the bound of an answer."""

    TOKENS = "max_tokens"
    COMPLETION = "max_completion_tokens"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is asked of a server."""

    format: Format = Format.SCHEMA
    stream: bool = True
    counted: bool = True
    """A stream ends with the tokens that it took."""
    limit: Limit = Limit.TOKENS


FULL: Final = Dialect()


def without(dialect: Dialect, complaint: str) -> Dialect | None:
    """Return the dialect without what a server complains about; None if that is no part of it."""
    for pattern, give_up in _GIVE_UP:
        if (
            re.search(pattern, complaint.lower(), re.DOTALL)
            and (weaker := give_up(dialect)) != dialect
        ):
            return weaker
    return None


def _weaker_format(dialect: Dialect) -> Dialect:
    formats = tuple(Format)
    following = formats.index(dialect.format) + 1
    return replace(dialect, format=formats[min(following, len(formats) - 1)])


# The first pattern that fits; the words are those of OpenAI, Azure, DeepSeek, vLLM, llama.cpp,
# LM Studio and Ollama, in lower case.
_GIVE_UP: tuple[tuple[str, Callable[[Dialect], Dialect]], ...] = (
    (r"response_format|json_schema|json_object|structured output|guided|grammar", _weaker_format),
    (
        r"max_tokens\W.*max_completion_tokens.* instead",
        lambda dialect: replace(dialect, limit=Limit.COMPLETION),
    ),
    (r"stream_options|include_usage", lambda dialect: replace(dialect, counted=False)),
    (r"\bstream(ing|ed)?\b", lambda dialect: replace(dialect, stream=False)),
)


def body(
    call: Call, dialect: Dialect, *, model: str, extra: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Return the body of a request; `extra` are fields of the server's own."""
    messages = [{"role": each.role, "content": each.text} for each in call.messages]
    if dialect.format is not Format.SCHEMA:
        schema = to_json(call.schema).decode()
        messages[0]["content"] += texts.SCHEMA.format(form=call.form, schema=schema)
    return {
        "model": model,
        "messages": messages,
        dialect.limit: call.answer_tokens,
        **_format(call, dialect),
        **({"stream": True} if dialect.stream else {}),
        **({"stream_options": {"include_usage": True}} if _counted(dialect) else {}),
        **extra,
    }


def _counted(dialect: Dialect) -> bool:
    return dialect.stream and dialect.counted


def _format(call: Call, dialect: Dialect) -> Mapping[str, Json]:
    match dialect.format:
        case Format.SCHEMA:
            schema: Json = {"name": call.form, "strict": True, "schema": call.schema}
            return {"response_format": {"type": dialect.format, "json_schema": schema}}
        case Format.OBJECT:
            return {"response_format": {"type": dialect.format}}
        case Format.TEXT:
            return {}
        case _:
            assert_never(dialect.format)
