"""A device whose coordinator is killed in the middle of a lease: it keeps, and then lets go."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from benchmarks.frame import Figures, Item, Progress
from benchmarks.pinning.live.site import HOST, open_site
from benchmarks.pinning.live.skills import PROBE
from benchmarks.pinning.live.workload import WORK_S, Request
from benchmarks.site import transport
from protocol import topics
from protocol.codec import decode_event
from protocol.errors import RemoteProtocolError
from protocol.transport import Message

CAP_S: Final = 6.0
LIMIT_S: Final = 30.0
AWAY_S: Final = 120.0  # the coordinator does not come back before the end


class Watch:
    """Whether the host has something warm, by its heartbeats (`protocol.transport.Peer`)."""

    def __init__(self) -> None:
        self.warm = False
        self._news = asyncio.Event()

    async def until(self, *, warm: bool) -> float:
        """Wait until that is so, and return when it was heard.

        Raises:
            TimeoutError: it is not, for long.
        """
        async with asyncio.timeout(LIMIT_S):
            while self.warm is not warm:
                self._news.clear()
                await self._news.wait()
        return asyncio.get_running_loop().time()

    def will(self) -> None:
        """Leave without a word."""

    def filters(self) -> tuple[str, ...]:
        """Listen to heartbeats."""
        return (topics.event_filter(),)

    def connected(self) -> None:
        """Wait for the next one."""

    def disconnected(self, reason: str) -> None:
        """Wait for the next connection."""

    def received(self, message: Message) -> None:
        """Take a heartbeat."""
        try:
            said = decode_event(message)
        except RemoteProtocolError:
            return
        if said is not None and said.device == HOST:
            self.warm = bool(said.load.warm)
            self._news.set()


async def measure(root: Path) -> AsyncIterator[Item]:
    """Kill the coordinator after a turn, and yield by how much the device misses the lease's end.

    The lease is `CAP_S` from the end of the turn; the heartbeat that tells of its end is at once.
    """
    yield Progress(0.0, "live, coordinator killed")
    loop = asyncio.get_running_loop()
    async with (
        open_site(root / "lone", policy="index", load_iterations=PROBE, cap_s=CAP_S) as site,
        asyncio.TaskGroup() as group,
    ):
        watch = Watch()
        watching = transport("muster/default/watch", site.port).run(watch)
        connection = group.create_task(watching, name="watch")
        plan = Request(0, 0.0, (LIMIT_S,)).plan()
        answer = await site.client.call("submit", {"request": "lone", "key": "lone", "plan": plan})
        assert answer["run"]
        await watch.until(warm=True)
        ended_at = loop.time() + WORK_S  # it was heard as soon as it was loaded
        await asyncio.sleep(1.0)  # the turn is over, and the lease granted
        site.coordinator.kill(pause_s=AWAY_S)
        held_s = await watch.until(warm=False) - ended_at
        connection.cancel()
    yield Figures({"live.held_alone_s": held_s, "live.lease_error_s": abs(held_s - CAP_S)})
