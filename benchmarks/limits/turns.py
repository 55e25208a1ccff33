"""A virtual clock loop that measures how long each callback holds it: the pauses of all others."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from typing import Final, TypeVarTuple, Unpack

from benchmarks.virtual_clock import VirtualClockLoop

_SHARE: Final = 0.99
_STEP_NS: Final = 10_000
_STEP_MS: Final = _STEP_NS / 1e6
_Ts = TypeVarTuple("_Ts")


class TimedLoop(VirtualClockLoop):
    """Measures CPU time of its thread, so that a busy machine does not count."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()  # a list of them would count as memory of the run
        super().__init__()

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """See `asyncio.loop.call_soon`."""
        return super().call_soon(self._timed, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See `asyncio.loop.call_at`."""
        return super().call_at(when, self._timed, callback, *args, context=context)

    def pauses_ms(self) -> tuple[float, float]:
        """Return the longest pause since the last call, and what 99 % of them did not exceed."""
        counts, self._counts = self._counts, Counter()
        left = _SHARE * counts.total()
        p99 = 0
        for pause in sorted(counts):
            if left <= 0:
                break
            p99, left = pause, left - counts[pause]
        return max(counts, default=0) * _STEP_MS, p99 * _STEP_MS

    def _timed(self, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        began = time.thread_time_ns()
        callback(*args)
        self._counts[(time.thread_time_ns() - began) // _STEP_NS] += 1
