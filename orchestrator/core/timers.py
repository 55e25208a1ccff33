"""Deadlines: one for each key, the earliest first.

A heap with lazy deletion: setting, clearing and taking cost O(log n) amortised. A deadline that
moves to a later time, as most do, leaves its entry where it is; the entry is put right when it
comes up. The heap is rebuilt when more than half of it is stale, so it never outgrows what is
pending.
"""

import heapq
from typing import TypeAlias

Key: TypeAlias = tuple[str, ...]
"""What is due, as (kind, id, …): the kinds are the rows of `decisions.time.DUE`."""


class Timers:
    """Pending deadlines in elapsed seconds."""

    __slots__ = ("_heap", "_pending", "_sequence")

    def __init__(self) -> None:
        self._pending: dict[Key, tuple[float, int, float]] = {}
        """Key → when it is due, its entry's number, and the time that entry stands at."""
        self._heap: list[tuple[float, int, Key]] = []
        self._sequence = 0  # orders equal times by when they were set: no ties left to chance

    def set(self, key: Key, due: float) -> None:
        """Set or move the deadline of `key`."""
        pending = self._pending
        known = pending.get(key)
        if known is not None and known[2] <= due:
            pending[key] = (due, known[1], known[2])
        else:
            self._push(key, due)

    def clear(self, key: Key) -> None:
        """Forget the deadline of `key`, if it has one."""
        self._pending.pop(key, None)

    def get(self, key: Key) -> float | None:
        """Return the deadline of `key`."""
        known = self._pending.get(key)
        return known[0] if known else None

    def next(self) -> float | None:
        """Return the earliest deadline."""
        heap, pending = self._heap, self._pending
        while heap:
            at, sequence, key = heap[0]
            known = pending.get(key)
            if known is not None and known[1] == sequence:
                if known[0] == at:
                    return at
                heapq.heappop(heap)
                self._push(key, known[0])
            else:
                heapq.heappop(heap)
        return None

    def take(self, now: float) -> Key | None:
        """Remove and return the earliest key that is due (half-open: due when `now` ≥ it)."""
        at = self.next()
        if at is None or at > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._pending[key]
        return key

    def shift(self, by: float) -> None:
        """Move every deadline, for clocks that start anew."""
        dues = [(key, known[0] + by) for key, known in self._pending.items()]
        self._pending.clear()
        self._heap.clear()
        for key, due in dues:
            self._push(key, due)

    def pending(self) -> dict[Key, float]:
        """Return a copy of all deadlines."""
        return {key: known[0] for key, known in self._pending.items()}

    def _push(self, key: Key, due: float) -> None:
        self._sequence += 1
        self._pending[key] = (due, self._sequence, due)
        heapq.heappush(self._heap, (due, self._sequence, key))
        if len(self._heap) > 2 * len(self._pending) + 64:
            self._heap = [(at, number, k) for k, (_, number, at) in self._pending.items()]
            heapq.heapify(self._heap)
