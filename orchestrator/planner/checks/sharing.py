"""What several activities use as one: a model that is loaded once, however many ask it.

Of one kind on one machine: those with one key take, at each moment, the largest of their amounts
and not the sum (`core.retention.needs.named`). Intervals are half-open.
"""

import math

from orchestrator.planner.checks.profile import Profile


class Shared:
    """One use of a capacity under a key, beside all others of that capacity."""

    def __init__(self, whole: Profile) -> None:
        self._whole = whole
        """What all keys take of it."""
        self._own = Profile(math.inf)

    def earliest(self, start: float, seconds: float, amount: float) -> float:
        """Return from when on, at or after `start`, there is room for so long; inf: never."""
        if seconds <= 0.0:
            return start
        begin = start
        while begin < math.inf:
            full_until = self._full_until(begin, begin + seconds, amount)
            if full_until is None:
                return begin
            begin = full_until
        return math.inf

    def take(self, start: float, end: float, amount: float) -> None:
        """Use it for some time; what its key uses then anyway is not counted again."""
        while start < end:
            used, until = self._own.at(start)
            until = min(until, end)
            if used < amount:
                self._whole.take(start, until, amount - used)
                self._own.take(start, until, amount - used)
            start = until

    def _full_until(self, start: float, end: float, amount: float) -> float | None:
        """Return the end of the first time, from `start` to `end`, when there is no room."""
        while start < end:
            used, own_until = self._own.at(start)
            total, until = self._whole.at(start)
            until = min(until, own_until)
            if total + max(0.0, amount - used) > self._whole.capacity:
                return until
            start = until
        return None
