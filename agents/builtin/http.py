"""Call the hosts and URL prefixes that the owner allows, redirects included.

A rule is a host (`name` or `name:port`; without a port the scheme's own) or a URL that what is
called must begin with, path segment by path segment.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import httpx
from pydantic_core import from_json

from agents.builtin.bounds import TEXT_BYTES, json_bytes, shorten
from agents.skills import (
    BadInputError,
    Context,
    Json,
    NotAllowedError,
    PermanentError,
    Skill,
    SkillError,
    TemporaryError,
    skill,
)
from protocol.types import Effect

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_REDIRECTS = 5
SILENCE_S = 30.0  # of a server; the attempt as a whole has its own limit
LATER = frozenset({429, 500, 502, 503, 504})  # the fault may pass without the request changing
EVERYWHERE = frozenset({400, 404, 405, 410, 413, 414, 415, 422})  # what any device would hear

ERRORS: Mapping[type[Exception], type[SkillError]] = {  # the first that fits
    httpx.UnsupportedProtocol: BadInputError,
    httpx.LocalProtocolError: BadInputError,
    httpx.TransportError: TemporaryError,
    httpx.RequestError: PermanentError,
    httpx.InvalidURL: BadInputError,
    UnicodeError: BadInputError,
}


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: `body` is JSON where the server says so and it is whole, else text."""

    status: int
    url: str
    content_type: str
    body: Json
    truncated: bool


class Http:
    """The skills over the owner's rules."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._rules = [httpx.URL(rule if "://" in rule else f"//{rule}") for rule in allow]

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, check: bool = True
    ) -> Response:
        """Get a URL; a status of 400 or more is an error unless `check` is false."""
        return await self._send("GET", url, headers, None, check=check)

    async def request(
        self,
        context: Context,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Json = None,
        check: bool = True,
    ) -> Response:
        """Send a request with a text or any other JSON as its body; `check` as in `http.get`."""
        context.guard()
        return await self._send(method, url, headers, body, check=check)

    async def _send(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str] | None,
        body: Json,
        *,
        check: bool,
    ) -> Response:
        tls = await asyncio.to_thread(_tls)
        try:
            async with httpx.AsyncClient(verify=tls, timeout=SILENCE_S) as client:
                content = {"content": body} if isinstance(body, str) else {"json": body}
                request = client.build_request(method, url, headers=headers, **content)
                return await self._answer(client, request, check=check)
        except tuple(ERRORS) as error:
            kind = next(kind for foreign, kind in ERRORS.items() if isinstance(error, foreign))
            raise kind(f"{url}: {str(error) or type(error).__name__}") from error

    async def _answer(
        self, client: httpx.AsyncClient, request: httpx.Request, *, check: bool
    ) -> Response:
        for _ in range(1 + MAX_REDIRECTS):
            self._admit(request)
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await _read(response, check=check)
                request = response.next_request
            finally:
                await response.aclose()
        raise PermanentError(f"{request.url}: more than {MAX_REDIRECTS} redirects")

    def _admit(self, request: httpx.Request) -> None:
        url = request.url
        if request.headers["host"] != url.netloc.decode():
            raise NotAllowedError(f"{url}: the header 'host' follows from the URL, leave it out")
        if ".." in url.path.split("/") or not any(_covers(rule, url) for rule in self._rules):
            raise NotAllowedError(f"{url}: the owner does not allow calls to there")


def skills(allow: Sequence[str]) -> Sequence[Skill]:
    """Make the skills over hosts and URL prefixes."""
    http = Http(allow)
    return (
        skill("http.get")(http.get),
        skill("http.request", effect=Effect.ONCE)(http.request),
    )


@cache
def _tls() -> ssl.SSLContext:
    """Read the authorities once: it takes long enough to be felt on the loop."""
    return httpx.create_ssl_context()


def _covers(rule: httpx.URL, url: httpx.URL) -> bool:
    ports = [each.port or DEFAULT_PORTS.get(url.scheme) for each in (rule, url)]
    return (
        url.scheme in DEFAULT_PORTS
        and rule.scheme in ("", url.scheme)
        and rule.host == url.host
        and ports[0] == ports[1]
        and f"{url.path}/".startswith(f"{rule.path.rstrip('/')}/")
    )


async def _read(response: httpx.Response, *, check: bool) -> Response:
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > TEXT_BYTES:
            break
    text = data.decode(response.charset_encoding or "utf-8", errors="replace")
    status = response.status_code
    if check and status >= httpx.codes.BAD_REQUEST:
        detail = f"{response.url}: status {status}: {text[:500]}"
        if status not in LATER:
            raise (BadInputError if status in EVERYWHERE else PermanentError)(detail)
        after = response.headers.get("retry-after", "")
        raise TemporaryError(detail, retry_after_s=float(after) if after.isdigit() else None)
    content_type = response.headers.get("content-type", "")
    truncated = len(data) > TEXT_BYTES or json_bytes(text) > TEXT_BYTES
    body: Json = shorten(text)
    if "json" in content_type and not truncated:
        body = _parsed(text)
    return Response(status, str(response.url), content_type, body, truncated)


def _parsed(text: str) -> Json:
    try:
        return from_json(text, allow_inf_nan=False)  # type: ignore[no-any-return]
    except ValueError:
        return text
