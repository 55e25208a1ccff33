"""Serves a device's artifacts, fetches those of others, and lets old ones go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from agents.artifacts import Artifacts
from protocol import telemetry
from protocol.artifacts import StoreError
from protocol.artifacts.fetching import download
from protocol.artifacts.serving import serving
from protocol.artifacts.store import Store
from protocol.artifacts.tasks import beside, in_thread
from protocol.telemetry import Level

REST_S: Final = 600.0  # between two sweeps, at least: ages are counted in days


@asynccontextmanager
async def sharing(
    store: Store, host: str, port: int, *, url: str = ""
) -> AsyncIterator[Artifacts]:
    """Share what is in a store as long as the block runs.

    ```python
    async with (
        sharing(Store(Path("artifacts")), "127.0.0.1", 8470) as artifacts,
        Agent("laptop", skills, transport=transport, artifacts=artifacts),
    ):
        ...
    ```

    Args:
        store: closed by whoever opened it.
        host: an address of this machine.
        port: 0 takes any; but references outlive a restart, so it should be the same again.
        url: how others reach it; that of host and port if empty.

    Raises:
        StoreError: nothing can listen there.
    """
    name = f"[{host}]" if ":" in host else host
    async with (
        serving(store, host, port) as bound,
        beside(_sweep(store), name="artifacts sweep"),
    ):
        yield Artifacts(store, url=url or f"http://{name}:{bound}", download=download)


async def _sweep(store: Store) -> None:
    while True:
        due_s = 0.0
        try:
            due_s = await in_thread(store.sweep)
        except StoreError as error:
            telemetry.write(Level.WARNING, "artifacts_not_swept", reason=str(error))
        await asyncio.sleep(max(due_s, REST_S))
