"""Artifacts that are fetched before an offer asks for them, because its coordinator says so.

A hint promises nothing, and nobody waits for what comes of it: whatever is in the way of it, or
interrupts it, ends it without a word. What has arrived by then stays, and the attempt that needs
the artifact goes on from there; one that comes meanwhile waits for the rest. A few hints are
followed at a time, beside the fetches of attempts, and none takes the room of anything else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, TypeAlias

from agents.actions import DropArtifacts, FetchAhead
from agents.artifacts import Artifacts
from protocol import telemetry
from protocol.artifacts import Artifact, ArtifactError, BadReferenceError
from protocol.telemetry import Level
from protocol.types import Json, RunId

AT_ONCE: Final = 2  # half of what attempts may have: these are waited for
WAITING: Final = 256  # hints kept; more are dropped
RELEASED_KEPT: Final = 1024  # runs whose late hints are known as such

_Key: TypeAlias = tuple[RunId, str]


class Prefetching:
    """Follows the hints of one device's coordinators.

    Args:
        artifacts: those of the device.
    """

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._released = OrderedDict[RunId, None]()

    def do(self, deed: FetchAhead | DropArtifacts, group: asyncio.TaskGroup) -> None:
        """Do what the session orders, in the background."""
        if isinstance(deed, DropArtifacts):
            stopped = self._stop(deed.runs)
            group.create_task(self._release(deed.runs, stopped), name="release")
        elif deed.run not in self._released:
            for reference in deed.references:
                self._follow(deed.run, reference, group)

    def _follow(self, run: RunId, reference: Json, group: asyncio.TaskGroup) -> None:
        try:
            artifact = Artifact.read(reference, "hint")
        except BadReferenceError as error:
            _dropped(run, error)
            return
        key = run, artifact.content.sha256
        if key not in self._tasks and len(self._tasks) < WAITING:
            task = group.create_task(self._fetch(artifact, run), name=f"prefetch {run}")
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def _stop(self, runs: Sequence[RunId]) -> list[asyncio.Task[None]]:
        """Fetch nothing more for these runs; return what ends by that."""
        for run in runs:
            self._released[run] = None
            self._released.move_to_end(run)
            if len(self._released) > RELEASED_KEPT:
                self._released.popitem(last=False)
        stopped = [task for (run, _), task in self._tasks.items() if run in self._released]
        for task in stopped:
            task.cancel()
        return stopped

    async def _release(self, runs: Sequence[RunId], stopped: list[asyncio.Task[None]]) -> None:
        """Drop what runs refer to, once nothing more is written down for them."""
        if stopped:
            await asyncio.wait(stopped)
        await self._artifacts.release(runs)

    async def _fetch(self, artifact: Artifact, run: RunId) -> None:
        async with self._slots:
            try:
                await self._artifacts.prefetch(artifact, run)
            except ArtifactError as error:
                _dropped(run, error)


def _dropped(run: RunId, error: ArtifactError) -> None:
    telemetry.write(Level.DEBUG, "prefetch_dropped", run=run, reason=str(error))
