"""A chat completion as it arrives, in pieces or whole: sans-IO.

Server-sent events after the HTML standard, section 9.2, cut at line ends alone: JSON may hold
other characters that Python takes for one. Only what carries text counts as a token: servers send
comments and empty pieces while the model has not begun.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from protocol.chat.exchange import Finish, Reply, ToolCall, Usage
from protocol.chat.tokens import estimate
from protocol.chat.tools import argument_text

_DONE = b"[DONE]"
_FINISHED = {"length": Finish.LENGTH, "content_filter": Finish.REFUSED}
"""Any other word means that the model had said what it had to say."""


class StreamError(Exception):
    """The server sent an error, or what makes no sense, in place of an answer."""


class Events:
    """Cuts bytes into the data of server-sent events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the data of the events that are whole now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                yield value.strip()


@dataclass(slots=True)
class _Calling:
    """A call of a tool, as far as it has come."""

    index: object
    id: str
    name: str = ""
    arguments: str = ""


def _named(calls: Sequence[_Calling]) -> Iterator[ToolCall]:
    """Yield the calls, each with an id of its own."""
    seen = set[str]()
    for n, each in enumerate(calls):
        ident = each.id if each.id and each.id not in seen else f"call-{n}"
        seen.add(ident)
        yield ToolCall(ident, each.name, each.arguments)


class Gathered:
    """What a model has said so far.

    Args:
        characters: at most so many are kept; a model that goes on is stopped.
    """

    def __init__(self, characters: int) -> None:
        self.done = False
        self._characters = characters
        self._parts: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Calling] = []
        self._hidden = 0
        self._room = characters
        self._finish: str | None = None
        self._usage: Usage | None = None

    def event(self, data: bytes) -> bool:
        """Take the data of an event; tell whether it held anything that the model said.

        Raises:
            StreamError: it is no piece of an answer.
        """
        if data == _DONE:
            self.done = True
            return False
        return self._take(_json(data), "delta")

    def whole(self, data: bytes) -> None:
        """Take an answer that comes whole.

        Raises:
            StreamError: it is none.
        """
        answer = _json(data)
        if not answer.get("choices"):
            raise StreamError("the answer has no choices")
        self._take(answer, "message")
        self.done = True

    @property
    def begun(self) -> bool:
        """Whether the model has said anything."""
        return bool(self._hidden) or self._room < self._characters

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return self._room <= 0

    @property
    def complete(self) -> bool:
        """Whether the model came to an end, and was not cut off from us."""
        return self.done or self._finish is not None or self.full

    def usage(self, prompt_tokens: int) -> Usage:
        """Return what it cost so far: as the server says, or estimated."""
        asked = (each.name + each.arguments for each in self._calls)
        said = sum(map(estimate, (*self._parts, *self._refusal, *asked))) + self._hidden
        return self._usage or Usage(prompt_tokens, said)

    def reply(self, prompt_tokens: int) -> Reply:
        """Return the answer; `prompt_tokens` is the estimate where the server does not count."""
        refusal = "".join(self._refusal)
        finish = _FINISHED.get(self._finish or "", Finish.STOP)
        if refusal:
            finish = Finish.REFUSED
        elif self.full:
            finish = Finish.LENGTH
        calls = tuple(_named(self._calls))
        return Reply(refusal or "".join(self._parts), finish, self.usage(prompt_tokens), calls)

    def _take(self, piece: Mapping[str, Any], key: str) -> bool:
        if error := piece.get("error"):
            raise StreamError(message(error))
        usage = piece.get("usage")
        if isinstance(usage, dict):
            self._usage = _usage(usage) or self._usage
        choices = piece.get("choices")
        choice = _object(choices[0] if isinstance(choices, list) and choices else None)
        self._finish = choice.get("finish_reason") or self._finish
        said = _object(choice.get(key))
        text, refusal = _text(said.get("content")), _text(said.get("refusal"))
        hidden = _text(said.get("reasoning_content") or said.get("reasoning"))
        self._parts.append(text[: max(0, self._room)])
        self._refusal.append(refusal)
        self._hidden += estimate(hidden)
        self._room -= len(text) + len(refusal)
        asked = said.get("tool_calls")
        for place, each in enumerate(asked if isinstance(asked, list) else ()):
            self._room -= self._call(place, _object(each))
        return bool(text or refusal or hidden or asked)

    def _call(self, place: int, piece: Mapping[str, Any]) -> int:
        """Take a piece of a call; return how many characters it has.

        Pieces of one call have one index. Some servers give all calls the same one, or none: a
        piece with another id, or another name after arguments, begins a new call.
        """
        index, function = piece.get("index", place), _object(piece.get("function"))
        ident, name = _text(piece.get("id")), _text(function.get("name"))
        arguments = function.get("arguments")
        text = argument_text(arguments)[: max(0, self._room)] if arguments is not None else ""
        call = next((each for each in reversed(self._calls) if each.index == index), None)
        if call is None or (ident != call.id if ident else name and call.arguments):
            call = _Calling(index, ident)
            self._calls.append(call)
        call.name = call.name or name
        call.arguments += text
        return len(name) + len(text)


def message(error: object) -> str:
    """Return what an error of a server says, in whichever of the usual forms."""
    if isinstance(error, dict):
        return str(error.get("message") or error.get("error") or error.get("detail") or error)
    return str(error)


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = from_json(data)
    except ValueError as error:
        raise StreamError(f"the server sent what is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise StreamError("the server sent no JSON object")
    return value


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(prompt, int) and isinstance(answer, int) and prompt >= 0 <= answer:
        return Usage(prompt, answer)
    return None
