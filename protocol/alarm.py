"""One timer on the loop that rings when the next of many deadlines comes."""

import asyncio
import math
from collections.abc import Callable

LATE_S = 0.001  # the two clocks are read one after the other


class Alarm:
    """Rings once for each time that it was set; setting it anew moves it.

    It runs on the loop's clock, which may stand still while the machine sleeps, and deadlines are
    on one that does not. So whoever hears anything sets it, and one that has become late is moved.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def set(self, due: float | None, *, now: float) -> None:
        """Ring by `due`, as it is `now`, on the clock of deadlines; None and infinity: never."""
        if due is None or due == math.inf:
            return
        loop = asyncio.get_running_loop()
        ring_at = loop.time() + max(0.0, due - now)
        if self._timer is not None:
            if self._timer.when() <= ring_at + LATE_S:
                return
            self._timer.cancel()
        self._timer = loop.call_at(ring_at, self._rings)

    def close(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._timer = None
        self._ring()
