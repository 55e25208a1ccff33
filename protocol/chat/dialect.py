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

from protocol.chat.exchange import Call
from protocol.chat.tools import in_words, native
from protocol.types import Json

COMPLAINTS: Final = frozenset({400, 422, 501})
"""Statuses with which a server may refuse a part of a request."""
TOOL_COMPLAINTS: Final = COMPLAINTS | {404, 500}
"""Those with which some refuse tools: routers without a model for it, llama.cpp without Jinja."""


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
    tools: bool = True
    """Tools are a field of the request, and not words of the question."""


FULL: Final = Dialect()
SCHEMA: Final = """

Answer with JSON only, without any other words. It must fit this JSON Schema ({form}):
{schema}"""
"""What is said where the server enforces no schema."""


def without(dialect: Dialect, complaint: str, *, tools: bool = False) -> Dialect | None:
    """Return the dialect without what a server complains about; None if that is no part of it.

    Args:
        dialect: what was asked in.
        complaint: the server's words.
        tools: whether tools were part of the request.
    """
    if tools and slipped(complaint):
        return None
    if tools and dialect.tools and re.search(_NO_TOOLS, complaint.lower()):
        return replace(dialect, tools=False)
    for pattern, give_up in _GIVE_UP:
        if (
            re.search(pattern, complaint.lower(), re.DOTALL)
            and (weaker := give_up(dialect)) != dialect
        ):
            return weaker
    return None


def slipped(complaint: str) -> bool:
    """Tell whether the server understood, and only the model made a call that it cannot read."""
    return re.search(_SLIPPED, complaint.lower()) is not None


def _weaker_format(dialect: Dialect) -> Dialect:
    formats = tuple(Format)
    following = formats.index(dialect.format) + 1
    return replace(dialect, format=formats[min(following, len(formats) - 1)])


# The words of Groq and llama.cpp.
_SLIPPED: Final = r"failed to call a function|failed_generation|parse tool call"
_NO_TOOLS: Final = r"\btools?\b|tool_|function|grammar|json.?schema"

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
    if call.schema is not None and dialect.format is not Format.SCHEMA:
        schema = to_json(call.schema).decode()
        call = _told(call, SCHEMA.format(form=call.form, schema=schema))
    messages, tools = _spoken(call, dialect)
    return {
        "model": model,
        "messages": messages,
        dialect.limit: call.answer_tokens,
        **_format(call, dialect),
        **({"stream": True} if dialect.stream else {}),
        **({"stream_options": {"include_usage": True}} if _counted(dialect) else {}),
        **tools,
        **extra,
        **call.extra,
    }


def _told(call: Call, words: str) -> Call:
    first, *others = call.messages
    return replace(call, messages=(replace(first, text=first.text + words), *others))


def _spoken(call: Call, dialect: Dialect) -> tuple[list[Json], Mapping[str, Json]]:
    if call.tools and not dialect.tools:
        return in_words(call), {}
    return native(call)


def _counted(dialect: Dialect) -> bool:
    return dialect.stream and dialect.counted


def _format(call: Call, dialect: Dialect) -> Mapping[str, Json]:
    if call.schema is None:
        return {}
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
