"""When a device takes no more work: its owner stops it, or its battery runs low.

What has started goes on. Coordinators read in heartbeats that nothing more is to be offered.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import psutil

from protocol.codec import Request
from protocol.messages import Drain, Heartbeat

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
READ_S: Final = 30.0  # between looks at the battery: it loses less than a percent meanwhile
ORDER: Final = Request(Drain(on=True), "", b"", None)
"""That the device drain, as if a coordinator said so; nobody waits for an answer."""


def battery() -> float | None:
    """Return the share that is left, 0 to 1; None on mains, and where nobody can tell."""
    try:
        found = psutil.sensors_battery()
    except (AttributeError, OSError):  # not on this system, or not for this user
        return None
    return None if found is None or found.power_plugged else min(max(found.percent, 0), 100) / 100


def unpowered(beat: Heartbeat) -> Heartbeat:
    """Say nothing of a battery."""
    return beat


class Powered:
    """Says in heartbeats what is left of a battery."""

    def __init__(
        self, clock: Callable[[], float], read: Callable[[], float | None] = battery
    ) -> None:
        self._read, self._clock = read, clock
        self._due, self._left = clock() + READ_S, read()

    def __call__(self, beat: Heartbeat) -> Heartbeat:
        """Return a heartbeat with what was left `READ_S` ago at most."""
        if self._clock() >= self._due:
            self._due, self._left = self._clock() + READ_S, self._read()
        return replace(beat, load=replace(beat.load, battery=self._left))


async def wait(drained: Awaitable[None], limit_s: float) -> None:
    """Wait for what has started to end, `limit_s` at most; another signal ends the wait."""
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s) as limit:
            for number in SIGNALS:
                loop.add_signal_handler(number, limit.reschedule, loop.time())
            try:
                await drained
            finally:
                for number in SIGNALS:
                    loop.remove_signal_handler(number)
