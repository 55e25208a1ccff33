"""JSON over HTTP to one server, with the errors of skills."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Final, Self

import httpx
from pydantic_core import from_json

from agents.skills import PermanentError, SkillError, TemporaryError
from protocol.types import Json

CONNECT_S: Final = 10.0
SILENCE_S: Final = 300.0  # a long prompt is read without a word; loads have a limit of their own
LATER: Final = frozenset({429, 500, 502, 503, 504})  # the fault may pass by itself

ERRORS: Final[Mapping[type[Exception], type[SkillError]]] = {  # the first that fits
    httpx.UnsupportedProtocol: PermanentError,
    httpx.LocalProtocolError: PermanentError,
    httpx.TransportError: TemporaryError,
    httpx.RequestError: PermanentError,
    httpx.InvalidURL: PermanentError,
}


class Api:
    """A server's API. Whoever opened it closes it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Self:
        """Make the connections to what is under a URL.

        Raises:
            PermanentError: it is no URL.
        """
        verify = await asyncio.to_thread(_tls) if url.startswith("https:") else False
        limit = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
        with _errors(url):
            client = httpx.AsyncClient(
                base_url=url, headers=dict(headers), verify=verify, timeout=limit, trust_env=False
            )
        return cls(client)

    async def post(self, path: str, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """Send an object and return the one that is the answer.

        Raises:
            TemporaryError: the server is not there, or too busy.
            PermanentError: it refuses, or answers with no JSON object.
        """
        with _errors(path):
            response = await self._client.post(path, json=body)
        if response.status_code in LATER:
            raise TemporaryError(_refusal(path, response))
        if response.is_error:
            raise PermanentError(_refusal(path, response))
        try:
            answer = from_json(response.content)
        except ValueError as error:
            raise PermanentError(f"{path}: the answer is no JSON: {error}") from error
        if not isinstance(answer, dict):
            raise PermanentError(f"{path}: the answer is no object")
        return answer

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()


@contextmanager
def _errors(place: str) -> Iterator[None]:
    try:
        yield
    except tuple(ERRORS) as error:
        kind = next(kind for foreign, kind in ERRORS.items() if isinstance(error, foreign))
        raise kind(f"{place}: {str(error) or type(error).__name__}") from error


def _refusal(path: str, response: httpx.Response) -> str:
    return f"{path}: status {response.status_code}: {response.text[:500]}"


@cache
def _tls() -> ssl.SSLContext:
    """Read the authorities once: it takes long enough to be felt on the loop."""
    return httpx.create_ssl_context()
