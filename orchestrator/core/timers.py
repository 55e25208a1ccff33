"""Deadlines: one for each key, the earliest first.

A heap with lazy deletion: setting, clearing and taking cost O(log n) amortised, and the heap is
rebuilt when more than half of it is stale, so it never outgrows what is pending.
"""

import heapq
from typing import TypeAlias

Key: TypeAlias = tuple[str, ...]
"""What is due, as (kind, id, …): the kinds are the rows of `decisions.time.DUE`."""


class Timers:
    """Pending deadlines in elapsed seconds."""

    __slots__ = ("_due", "_heap", "_sequence")

    def __init__(self) -> None:
        self._due: dict[Key, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._sequence = 0  # orders equal times by when they were set: no ties left to chance

    def set(self, key: Key, due: float) -> None:
        """Set or move the deadline of `key`."""
        self._sequence += 1
        self._due[key] = (due, self._sequence)
        heapq.heappush(self._heap, (due, self._sequence, key))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._rebuild()

    def clear(self, key: Key) -> None:
        """Forget the deadline of `key`, if it has one."""
        self._due.pop(key, None)

    def get(self, key: Key) -> float | None:
        """Return the deadline of `key`."""
        pending = self._due.get(key)
        return pending[0] if pending else None

    def next(self) -> float | None:
        """Return the earliest deadline."""
        heap, due = self._heap, self._due
        while heap:
            at, sequence, key = heap[0]
            if due.get(key) == (at, sequence):
                return at
            heapq.heappop(heap)
        return None

    def take(self, now: float) -> Key | None:
        """Remove and return the earliest key that is due (half-open: due when `now` ≥ it)."""
        at = self.next()
        if at is None or at > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._due[key]
        return key

    def shift(self, by: float) -> None:
        """Move every deadline, for clocks that start anew."""
        self._due = {key: (at + by, sequence) for key, (at, sequence) in self._due.items()}
        self._rebuild()

    def pending(self) -> dict[Key, float]:
        """Return a copy of all deadlines."""
        return {key: at for key, (at, _) in self._due.items()}

    def _rebuild(self) -> None:
        self._heap = [(at, sequence, key) for key, (at, sequence) in self._due.items()]
        heapq.heapify(self._heap)
