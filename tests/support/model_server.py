"""An OpenAI-compatible model server on loopback, for tests: real HTTP, real SSE, scripted answers.

It says what it is told to, and misbehaves as real servers do: answers that are cut off or make no
sense, refusals, 429 with ``Retry-After``, 500, slow tokens, a connection that drops in the middle.
What it does not know (schemas, JSON mode, streaming, …) it refuses with status 400, in the words
of a real server. Use it on a loop with the real clock.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from protocol.background import Background

PATH = "/v1/chat/completions"
PIECE = 12  # characters of a token, as far as this server knows tokens


@dataclass(frozen=True)
class Says:
    """An answer; `text` may be any value, which is said as JSON."""

    text: Any = ""
    calls: Sequence[tuple[str, Any]] = ()
    """Tools it asks for: name and arguments; those that are no text are said as JSON."""
    finish: str = "stop"
    refusal: str = ""
    thoughts: str = ""
    first_s: float = 0.0
    """Before the first token."""
    token_s: float = 0.0
    """Before each further token."""
    keep_alive: int = 0
    """Comments and empty pieces before the first token, evenly."""
    drop_after: int | None = None
    """Tokens after which the connection is gone."""
    quiet_end: bool = False
    """The stream just ends, without its last events."""
    error: Mapping[str, Any] | None = None
    """What comes in the middle of the stream in place of the rest."""

    @property
    def said(self) -> str:
        return as_text(self.text)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [
            {"id": f"id-{n}", "type": "function", "function": {"name": name, "arguments": given}}
            for n, (name, arguments) in enumerate(self.calls)
            for given in [as_text(arguments)]
        ]


@dataclass(frozen=True)
class Fails:
    """A status other than 200; `body` may be a text that is no JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drops:
    """The connection is gone before an answer."""


Answer: TypeAlias = Says | Fails | Drops


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def format(self) -> str:
        return self.body.get("response_format", {}).get("type", "text")

    @property
    def words(self) -> str:
        return "\n".join(each["content"] for each in self.body["messages"])

    @property
    def last(self) -> str:
        return self.body["messages"][-1]["content"]


Script: TypeAlias = Sequence[Answer] | Callable[[Asked], Answer]

NO_SCHEMA = {
    "error": {
        "message": "This response_format type is unavailable now",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request_error",
    }
}
NO_OBJECT = {"error": "'response_format.type' must be 'json_schema' or 'text'"}
NO_STREAM = {"error": {"message": "Streaming is not supported for this model", "code": None}}
NO_COUNT = {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs not permitted"}]}
NO_MAX_TOKENS = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}
NO_KEY = {"error": {"message": "Incorrect API key provided: {key}.", "code": "invalid_api_key"}}
NO_TOOLS = {"error": {"message": "m does not support tools", "type": "api_error"}}
NO_FIELDS: Mapping[str, Any] = {
    "tools": NO_TOOLS,
    "stream": NO_STREAM,
    "stream_options": NO_COUNT,
    "max_tokens": NO_MAX_TOKENS,
}


class ModelServer:
    """Answers from a script: a sequence once through, or a function of the request.

    Args:
        script: what it says.
        key: the key it wants, if any.
        formats: the response formats it knows.
        unknown: fields of a request that it refuses, of `NO_FIELDS`.
        streams: false ignores `stream` without a word.
        counts: false reports no usage.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        key: str | None = None,
        formats: Sequence[str] = ("json_schema", "json_object", "text"),
        unknown: Sequence[str] = (),
        streams: bool = True,
        counts: bool = True,
    ) -> None:
        self.asked: list[Asked] = []
        """Every request, in order, those that were refused included."""
        self.news = asyncio.Event()
        """Set with the first request."""
        self.tokens: Counter[str] = Counter()
        """What it counted: `prompt` and `answer`, of all answers."""
        self.url = ""
        self._answers = iter(script) if isinstance(script, Sequence) else None
        self._script = script
        self._key = key
        self._formats = formats
        self._unknown = unknown
        self._streams = streams
        self._counts = counts

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ModelServer"]:
        """Serve inside the block; connections that are left end with it."""
        async with Background() as group:
            tasks: list[asyncio.Task[None]] = []

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.append(group.create_task(self._serve(reader, writer), name="connection"))

            async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
                port = listening.sockets[0].getsockname()[1]
                self.url = f"http://127.0.0.1:{port}/v1"
                try:
                    yield self
                finally:
                    for task in tasks:
                        task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._exchange(reader, writer)
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = (line.split(": ", 1) for line in head[1:-2])
        headers = {name.lower(): value for name, value in fields}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))))
        asked = Asked(headers, body)
        self.asked.append(asked)
        self.news.set()
        answer = self._refusal(head[0], asked) or self._next(asked)
        if isinstance(answer, Drops):
            writer.transport.abort()
        elif isinstance(answer, Fails):
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            send(writer, text, status=answer.status, headers=answer.headers)
        elif body.get("stream") and self._streams:
            await self._stream(writer, asked, answer)
        else:
            await asyncio.sleep(answer.first_s)
            send(writer, json.dumps(self._whole(asked, answer)))
        await writer.drain()

    def _refusal(self, line: str, asked: Asked) -> Fails | None:
        given = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if f"POST {PATH} " not in line:
            return Fails(404, "404 page not found")
        if self._key is not None and given != self._key:
            message = NO_KEY["error"]["message"].format(key=given)
            return Fails(401, {"error": NO_KEY["error"] | {"message": message}})
        for name in self._unknown:
            if name in asked.body:
                return Fails(400, NO_FIELDS[name])
        if asked.format not in self._formats:
            return Fails(400, NO_OBJECT if asked.format == "json_object" else NO_SCHEMA)
        return None

    def _next(self, asked: Asked) -> Answer:
        if self._answers is None:
            return self._script(asked)
        return next(self._answers, Fails(400, {"error": {"message": "the script has ended"}}))

    def _usage(self, asked: Asked, answer: Says) -> Mapping[str, Any] | None:
        prompt = math.ceil(len(asked.words) / 4)
        asked = "".join(as_text(each) for each in answer.calls)
        said = len(pieces(answer.thoughts + answer.said + answer.refusal + asked))
        self.tokens += Counter(prompt=prompt, answer=said)
        usage = {"prompt_tokens": prompt, "completion_tokens": said}
        return usage | {"total_tokens": prompt + said} if self._counts else None

    def _whole(self, asked: Asked, answer: Says) -> Mapping[str, Any]:
        message = {"role": "assistant", "content": answer.said, "refusal": answer.refusal or None}
        if answer.calls:
            message["tool_calls"] = answer.asked
        choice = {"index": 0, "message": message, "finish_reason": answer.finish}
        return {"choices": [choice], "usage": self._usage(asked, answer)}

    async def _stream(self, writer: asyncio.StreamWriter, asked: Asked, answer: Says) -> None:
        send(writer, None, headers={"content-type": "text/event-stream"})
        event(writer, delta({"role": "assistant", "content": ""}))
        for _ in range(answer.keep_alive):
            chunk(writer, ": processing\n\n")
            event(writer, delta({"content": ""}))
            await asyncio.sleep(answer.first_s / (1 + answer.keep_alive))
        await asyncio.sleep(answer.first_s / (1 + answer.keep_alive))
        kinds = ("reasoning_content", answer.thoughts), ("content", answer.said)
        said = [
            {kind: piece}
            for kind, text in (*kinds, ("refusal", answer.refusal))
            for piece in pieces(text)
        ]
        for n, piece in enumerate([*said, *called(answer.asked)]):
            if n == answer.drop_after:
                await writer.drain()
                writer.transport.abort()
                return
            event(writer, delta(piece))
            await writer.drain()
            await asyncio.sleep(answer.token_s)
        if answer.error is not None:
            event(writer, {"error": answer.error})
        elif not answer.quiet_end:
            event(writer, delta({}, finish=answer.finish))
            usage = self._usage(asked, answer)
            if usage and asked.body.get("stream_options", {}).get("include_usage"):
                event(writer, {"choices": [], "usage": usage})
            chunk(writer, "data: [DONE]\n\n")
        chunk(writer, "")


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def called(calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Cut calls as they are streamed: the name first, then the arguments bit by bit."""
    return [
        {"tool_calls": [{"index": n, **piece}]}
        for n, call in enumerate(calls)
        for piece in (
            call | {"function": {"name": call["function"]["name"], "arguments": ""}},
            *({"function": {"arguments": each}} for each in pieces(call["function"]["arguments"])),
        )
    ]


def pieces(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def delta(said: Mapping[str, Any], finish: str | None = None) -> Mapping[str, Any]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def event(writer: asyncio.StreamWriter, value: Mapping[str, Any]) -> None:
    chunk(writer, f"data: {json.dumps(value, ensure_ascii=False)}\n\n")


def chunk(writer: asyncio.StreamWriter, text: str) -> None:
    data = text.encode()
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def send(
    writer: asyncio.StreamWriter,
    text: str | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Write the head of an answer and its body; without a text the body follows in chunks."""
    length = {"transfer-encoding": "chunked"} if text is None else {}
    body = (text or "").encode()
    if text is not None:
        kind = "application/json" if text[:1] in "{[" else "text/plain"
        length = {"content-type": kind, "content-length": str(len(body))}
    fields = {**length, "connection": "close", **(headers or {})}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in fields.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
