"""Asks an OpenAI-compatible server over HTTP, streamed: the one place that does.

Each call is a connection of its own: an answer takes seconds, a connection milliseconds. No
redirect is followed, so that the key goes nowhere else; a proxy of the environment is used. What
the server turned out to understand (`Dialect`) is remembered.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx
from pydantic_core import from_json

from protocol.chat import dialect as dialects
from protocol.chat.dialect import COMPLAINTS, TOOL_COMPLAINTS, Dialect
from protocol.chat.exchange import Call, ModelError, Reply, TryAgainError, Usage
from protocol.chat.patience import DEFAULT_PATIENCE, Patience
from protocol.chat.redaction import redact
from protocol.chat.retrying import retry_after_s
from protocol.chat.settings import EndpointSection
from protocol.chat.stream import Events, Gathered, StreamError, message
from protocol.chat.tokens import clip
from protocol.chat.tools import heard
from protocol.types import Json

SHOWN: Final = 300  # characters of what a server says
LATER: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that time may mend."""
NO_CREDIT: Final = "insufficient_quota"
"""The code in an answer 429 that time does not mend."""
CHARACTERS: Final = 16
"""Of an answer for each token it may have; a server that sends more does not keep to its limit."""
BYTES: Final = 64 << 20  # of an answer as it is sent
REFUSAL_BYTES: Final = 1 << 20
ADVICE: Final[Mapping[int, str]] = {
    401: "check key_env or key_file in {table}",
    402: "the account has no credit: top it up",
    403: "check key_env or key_file in {table}, and what the key may do",
    404: "check base_url and model in {table}",
    413: "lower prompt_tokens in {table}",
}
TABLE: Final = "{table}"
"""Stands for `Endpoint.table`."""
OTHER_ADVICE: Final = "change in {table} what it complains about"

ERRORS: Final[Mapping[type[Exception], type[ModelError]]] = {  # the first that fits
    httpx.UnsupportedProtocol: ModelError,
    httpx.LocalProtocolError: ModelError,
    httpx.TransportError: TryAgainError,
    httpx.RequestError: ModelError,
    httpx.InvalidURL: ModelError,
    UnicodeError: ModelError,
}
UNSENT: Final = (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL)
"""The server heard nothing, and so takes no money for it."""
UNSAYABLE: Final = (httpx.LocalProtocolError, UnicodeError)
"""The key or a header has a character that HTTP does not allow."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is. The key is in no representation of it."""

    base_url: str
    """Such as ``https://example.com/v1`` or ``http://127.0.0.1:11434/v1``."""
    model: str
    key: str | None = field(default=None, repr=False)
    key_header: str = "authorization"
    """Where the key goes; ``authorization`` has ``Bearer`` before it, others (Azure's ``api-key``)
    have the key alone."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """More headers; their values count as secrets."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """More fields of the request, such as ``temperature``."""
    table: str = "the settings"
    """Where its owner says all this; for advice."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be told to anybody else."""
        return tuple(filter(None, (self.key, *self.headers.values())))


def described(section: EndpointSection, table: str, environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint that settings describe; `environment` is usually `os.environ`.

    Raises:
        SettingsError: the key is not where it should be.
    """
    return Endpoint(
        section.base_url,
        section.model,
        key=section.key(table, environment),
        key_header=section.key_header,
        headers=section.headers,
        extra=section.extra,
        table=f"[{table}]",
    )


class _RefusedError(Exception):
    """The server answered with a status other than 200."""

    def __init__(self, response: httpx.Response, said: bytes) -> None:
        super().__init__(response.status_code)
        self.status = response.status_code
        self.retry_after_s = retry_after_s(
            response.headers.get("retry-after", ""), response.headers.get("date", "")
        )
        self.words, self.code = _complaint(said)


class HttpModel:
    """A model behind an OpenAI-compatible ``/chat/completions``."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        patience: Patience = DEFAULT_PATIENCE,
        dialect: Dialect = dialects.FULL,
    ) -> None:
        self.dialect = dialect
        """What the server understands, as far as is known."""
        self._endpoint = endpoint
        self._patience = patience
        self._url = f"{endpoint.base_url.rstrip('/')}/chat/completions"

    async def complete(self, call: Call) -> Reply:
        """Ask once; again at once where the server does not understand a part of the request."""
        while True:
            asked = self.dialect
            try:
                reply = await _Exchange(call, self._patience).run(self._request(call, asked))
                return heard(reply, words=not asked.tools) if call.tools else reply
            except _RefusedError as error:
                weaker = _without(asked, call, error)
                if weaker is None:
                    raise self._refused(error) from error
                if self.dialect == asked:  # else a call beside this one has learnt it
                    self.dialect = weaker
            except _FailedError as error:
                sentence = self._sentence(str(error))
                raise error.kind(sentence, usage=error.usage) from error

    def _request(self, call: Call, asked: Dialect) -> Mapping[str, object]:
        endpoint = self._endpoint
        bearer = "Bearer " if endpoint.key_header.lower() == "authorization" else ""
        key = {endpoint.key_header: f"{bearer}{endpoint.key}"} if endpoint.key else {}
        body = dialects.body(call, asked, model=endpoint.model, extra=endpoint.extra)
        return {"url": self._url, "headers": {**key, **endpoint.headers}, "json": body}

    def _refused(self, error: _RefusedError) -> ModelError:
        words = f"answered with status {error.status} ({error.words})"
        later = error.status in LATER or dialects.slipped(error.words)
        if later and error.code != NO_CREDIT:
            sentence = self._sentence(f"{words}: {_LATER}")
            return TryAgainError(sentence, retry_after_s=error.retry_after_s)
        advice = ADVICE.get(402 if error.code == NO_CREDIT else error.status, OTHER_ADVICE)
        return ModelError(self._sentence(f"{words}: {advice}"))

    def _sentence(self, words: str) -> str:
        where = f"the model server at {self._endpoint.base_url}"
        words = words.replace(TABLE, self._endpoint.table)
        return redact(f"{where} {words}", self._endpoint.secrets)


def _without(asked: Dialect, call: Call, error: _RefusedError) -> Dialect | None:
    weaker = dialects.without(asked, error.words, tools=bool(call.tools))
    no_tools = weaker is not None and weaker.tools < asked.tools
    return weaker if error.status in (TOOL_COMPLAINTS if no_tools else COMPLAINTS) else None


class _FailedError(Exception):
    """No answer came; `usage` is what was spent all the same."""

    def __init__(self, kind: type[ModelError], words: str, usage: Usage) -> None:
        super().__init__(words)
        self.kind = kind
        self.usage = usage


class _Exchange:
    """One request, and what has come of its answer."""

    def __init__(self, call: Call, patience: Patience) -> None:
        self._patience = patience
        self._gathered = Gathered(CHARACTERS * call.answer_tokens)
        self._prompt_tokens = call.prompt_tokens

    async def run(self, request: Mapping[str, Any]) -> Reply:
        patience = self._patience
        streamed = bool(request["json"].get("stream"))
        first_s = patience.first_token_s if streamed else patience.total_s
        try:
            async with asyncio.timeout(patience.total_s) as total:
                async with asyncio.timeout(first_s) as silence, _posted(request) as response:
                    await self._read(response, silence)
        except TimeoutError as error:
            raise self._too_slow(in_all=total.expired() or not streamed) from error
        except StreamError as error:
            raise self._failed(
                TryAgainError, f"gave no answer ({_short(error)}): {_LATER}"
            ) from error
        except tuple(ERRORS) as error:
            kind = next(kind for foreign, kind in ERRORS.items() if isinstance(error, foreign))
            if isinstance(error, UNSAYABLE):  # what it says may hold the key
                raise _FailedError(kind, _UNSAYABLE, Usage()) from None
            if isinstance(error, UNSENT):
                words = f"cannot be reached ({_short(error)}): check base_url in {TABLE}"
                raise _FailedError(kind, words, Usage()) from error
            raise self._failed(kind, f"broke off ({_short(error)}): {_LATER}") from error
        return self._gathered.reply(self._prompt_tokens)

    async def _read(self, response: httpx.Response, silence: asyncio.Timeout) -> None:
        if response.status_code != httpx.codes.OK:
            raise _RefusedError(response, await _all(response, REFUSAL_BYTES))
        if "json" in response.headers.get("content-type", ""):
            self._gathered.whole(await _all(response, BYTES))
            return
        loop, events = asyncio.get_running_loop(), Events()
        async for data in _bounded(response, BYTES):
            said = [self._gathered.event(each) for each in events.feed(data)]
            if any(said):
                silence.reschedule(loop.time() + self._patience.idle_s)
            if self._gathered.done or self._gathered.full:
                return
        for each in events.feed(b"\n"):  # not every server ends its last line
            self._gathered.event(each)
        if not self._gathered.complete:
            raise StreamError("it ended in the middle")

    def _too_slow(self, *, in_all: bool) -> _FailedError:
        patience, begun = self._patience, self._gathered.begun
        if in_all:
            words = f"was not done within {patience.total_s:g} s: raise total_s"
            return self._failed(ModelError, f"{words} in {TABLE}")
        if begun:
            words = f"said nothing more for {patience.idle_s:g} s: raise idle_s"
        else:
            words = f"did not begin within {patience.first_token_s:g} s: raise first_token_s"
        return self._failed(TryAgainError, f"{words} in {TABLE}")

    def _failed(self, kind: type[ModelError], words: str) -> _FailedError:
        return _FailedError(kind, words, self._gathered.usage(self._prompt_tokens))


_LATER = "try again later, or ask its operator"
_UNSAYABLE = "cannot be asked: the key, or one of headers in {table}, is no text for HTTP"


@asynccontextmanager
async def _posted(request: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
    secure = request["url"].startswith("https:")
    tls = await asyncio.to_thread(_tls) if secure else False
    async with (
        httpx.AsyncClient(verify=tls, timeout=None) as client,  # noqa: S113 - see `Patience`
        client.stream("POST", **request) as response,
    ):
        yield response


@cache
def _tls() -> ssl.SSLContext:
    """Read the authorities once: it takes long enough to be felt on the loop."""
    return httpx.create_ssl_context()


async def _bounded(response: httpx.Response, size: int) -> AsyncIterator[bytes]:
    async for data in response.aiter_bytes():
        size -= len(data)
        if size < 0:
            raise StreamError("the answer is larger than any of use")
        yield data


async def _all(response: httpx.Response, size: int) -> bytes:
    return b"".join([data async for data in _bounded(response, size)])


def _complaint(said: bytes) -> tuple[str, str]:
    """Return the words of an error and its code, in whichever of the usual forms."""
    try:
        value = from_json(said)
    except ValueError:
        return clip(said.decode(errors="replace").strip(), SHOWN), ""
    error: object = value.get("error", value) if isinstance(value, dict) else value
    code = error.get("code") if isinstance(error, dict) else ""
    return clip(message(error), SHOWN), str(code)


def _short(error: Exception) -> str:
    return clip(str(error) or type(error).__name__, SHOWN)
