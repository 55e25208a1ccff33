"""Fetches artifacts over HTTP: resumed after any interruption, verified, in bounded memory.

What has arrived is in a file, and whoever comes next goes on where that ends: after a broken
connection, a restart of the source, or one of our own. Content that is not what the reference
promises is thrown away; once, if part of it was here before, it is fetched anew.

We talk to the source itself: no proxy of the environment, no redirect. A redirect, and any status
that time does not mend, is an error at once.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final

import httpx

from protocol.artifacts.errors import (
    BadReferenceError,
    GoneError,
    MismatchError,
    UnavailableError,
    disk_errors,
)
from protocol.artifacts.hashed_file import CHUNK_BYTES, HashedFile
from protocol.artifacts.reference import Artifact
from protocol.artifacts.tasks import in_thread

PATIENCE_S: Final = 60.0  # without a byte; a daemon that is restarted is back within seconds
FIRST_PAUSE_S: Final = 0.1
LAST_PAUSE_S: Final = 5.0
TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
REASONS: Final = {
    401: "does not take its token",
    403: "does not take its token",
    404: "does not have it any more: its run was forgotten, or its folder lost",
}


class _InterruptedError(Exception):
    """It ended before all was there; another try may go on."""


def _unheard(_done_bytes: int) -> None:
    pass


async def fetch(artifact: Artifact, path: Path, *, told: Callable[[int], None] = _unheard) -> None:
    """Put the content of an artifact in a file, which appears when it is whole and verified.

    A call that was cut off leaves a hidden part beside the file; the next one goes on with it.

    Args:
        artifact: the reference.
        path: the file; replaced if it is there.
        told: hears how many bytes are there.

    Raises:
        ArtifactError: see `download`.
    """
    part = path.with_name(f".{path.name}.{artifact.content.sha256[:16]}.part")
    await download(artifact, part, told=told)
    with disk_errors(path):
        await in_thread(part.replace, path)


async def download(
    artifact: Artifact,
    part: Path,
    *,
    told: Callable[[int], None] = _unheard,
    going_on: Callable[[], None] = lambda: None,
    patience_s: float = PATIENCE_S,
) -> None:
    """Fill a file with the content of an artifact; what it holds already is a beginning of it.

    Args:
        artifact: the reference.
        part: the file, which nobody else writes meanwhile.
        told: hears how many bytes are there.
        going_on: called before each further try; what it raises ends the download.
        patience_s: how long to go on trying without getting a byte.

    Raises:
        GoneError: the source does not give it.
        MismatchError: what came is not what the reference promises.
        UnavailableError: no byte came for `patience_s`.
        StoreError: the file cannot be written.
    """
    file = HashedFile(part)
    with disk_errors(part):
        try:
            await in_thread(file.open)
            while await in_thread(file.take_in):
                pass
            await _Download(artifact, file, told).run(going_on, patience_s)
            await in_thread(file.flush, sync=False)
        finally:
            file.close()


class _Download:
    def __init__(self, artifact: Artifact, file: HashedFile, told: Callable[[int], None]) -> None:
        self._content = artifact.content
        self._file = file
        self._told = told
        self._fresh = not file.size_bytes
        """All that is there came from the source, in this call."""

    async def run(self, going_on: Callable[[], None], patience_s: float) -> None:
        loop = asyncio.get_running_loop()
        urls, pauses = cycle(self._content.urls), _pauses()
        best, silent_since = self._file.size_bytes, loop.time()
        async with await _client(self._content.urls) as client:
            while not await self._verified():
                url = next(urls)
                try:
                    await self._go_on(client, url)
                except (_InterruptedError, httpx.HTTPError) as error:
                    if self._file.size_bytes > best:
                        best, silent_since = self._file.size_bytes, loop.time()
                        pauses = _pauses()
                    elif loop.time() - silent_since >= patience_s:
                        reason = str(error) or type(error).__name__
                        raise UnavailableError(
                            f"{url}: nothing came for {patience_s:g} s: {reason}"
                        ) from error
                    await asyncio.sleep(next(pauses))
                    going_on()

    async def _verified(self) -> bool:
        """Tell whether all is there; throw it away if it is something else."""
        file, content = self._file, self._content
        if file.size_bytes < content.size_bytes:
            return False
        if file.size_bytes == content.size_bytes and file.sha256 == content.sha256:
            return True
        await in_thread(file.restart)
        if self._fresh:
            raise MismatchError(
                f"{content.urls[0]}: sent something else than was promised; run the task that made"
                " it again"
            )
        self._fresh = True
        return False

    async def _go_on(self, client: httpx.AsyncClient, url: str) -> None:
        file, content = self._file, self._content
        headers = {"authorization": f"Bearer {content.token}", "accept-encoding": "identity"}
        if file.size_bytes:
            headers |= {
                "range": f"bytes={file.size_bytes}-",
                "if-range": f'"{content.sha256}"',
            }
        async with client.stream("GET", url, headers=headers) as response:
            await self._begin(response)
            await self._take(response)
        if file.size_bytes < content.size_bytes:
            raise _InterruptedError(f"the answer ended after {file.size_bytes} bytes")

    async def _take(self, response: httpx.Response) -> None:
        chunks, promised_bytes = bytearray(), self._content.size_bytes
        try:
            async for chunk in response.aiter_raw():
                chunks += chunk
                if len(chunks) >= CHUNK_BYTES:
                    await self._write(chunks)
                if self._file.size_bytes + len(chunks) > promised_bytes:
                    return
        finally:
            await self._write(chunks)  # what has come is not fetched again

    async def _write(self, chunks: bytearray) -> None:
        await in_thread(self._file.write, bytes(chunks))
        chunks.clear()
        self._told(self._file.size_bytes)

    async def _begin(self, response: httpx.Response) -> None:
        status, url = response.status_code, response.url
        if status in LATER:
            raise _InterruptedError(f"status {status}")
        if status == httpx.codes.PARTIAL_CONTENT:
            said = response.headers.get("content-range", "")
            if said.startswith(f"bytes {self._file.size_bytes}-"):
                return
            raise MismatchError(f"{url}: asked to go on, it began elsewhere ({said or 'unsaid'})")
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise MismatchError(f"{url}: has less than was promised")
        if status != httpx.codes.OK:
            raise GoneError(f"{url}: {REASONS.get(status, f'answered with status {status}')}")
        if self._file.size_bytes:
            await in_thread(self._file.restart)  # the source knows no ranges
            self._fresh = True


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, LAST_PAUSE_S)


async def _client(urls: tuple[str, ...]) -> httpx.AsyncClient:
    try:
        schemes = {httpx.URL(url).scheme for url in urls}  # all are read: any may be wrong
    except httpx.InvalidURL as error:
        raise BadReferenceError(f"{', '.join(urls)}: no URL: {error}") from error
    return await in_thread(_new_client, secure="https" in schemes)


def _new_client(*, secure: bool) -> httpx.AsyncClient:
    """Make a client; the first one loads libraries and authorities, which would hold the loop."""
    return httpx.AsyncClient(verify=_tls() if secure else False, timeout=TIMEOUT, trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
