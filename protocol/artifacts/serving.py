"""Answers for the artifacts of a store over HTTP.

`GET` and `HEAD` of `/artifacts/{sha256}` with `Authorization: Bearer {token}`; ranges work, and
the ETag is the hash. There is no listing. A wrong token is answered alike whether the artifact
exists or not. Behind a URL of `https` put a reverse proxy: what listens here speaks plain HTTP.
"""

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from protocol.artifacts.errors import StoreError
from protocol.artifacts.hashed_file import CHUNK_BYTES
from protocol.artifacts.reference import PATH
from protocol.artifacts.store import Store
from protocol.artifacts.tasks import beside, in_thread

CONNECTIONS: Final = 64  # more are told to come again: each may hold a chunk in memory
STOP_S: Final = 1
"""For transfers under way: they are resumed from whoever comes next."""


@asynccontextmanager
async def serving(store: Store, host: str, port: int) -> AsyncIterator[int]:
    """Answer for a store as long as the block runs; the value is the port (for port 0).

    Raises:
        StoreError: the address cannot be listened at.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise StoreError(f"cannot listen at {host}:{port}: {error.strerror}") from error
    config = uvicorn.Config(
        _application(store),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_S,
    )
    server = _Server(config)

    def stop(_serving: asyncio.Task[None]) -> None:
        server.should_exit = True

    with listening:
        await run_in_threadpool(store.token, "")  # loads what the first answer would wait for
        async with beside(server.serve(sockets=[listening]), name="artifacts", stop=stop):
            yield int(listening.getsockname()[1])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program that we are a part of."""
        yield


class _Blob(FileResponse):
    chunk_size = CHUNK_BYTES


def _application(store: Store) -> Starlette:
    return Starlette(routes=[Route(PATH + "{sha256}", partial(_answer, store))])


async def _answer(store: Store, request: Request) -> FileResponse:
    sha256 = request.path_params["sha256"]
    said = request.headers.get("authorization", "")
    if not hmac.compare_digest(said.encode(), f"Bearer {store.token(sha256)}".encode()):
        raise HTTPException(403)
    found = await in_thread(store.offered, sha256)
    if found is None:
        raise HTTPException(404)
    path, media_type = found
    return _Blob(path, media_type=media_type, headers={"etag": f'"{sha256}"'})
