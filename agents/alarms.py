"""When live attempts are due: one heap, whose entries may be out of date. Pure, like `session`."""

import heapq
from collections.abc import Iterator, Mapping
from math import inf
from typing import Final

from agents.attempt import LiveAttempt
from protocol.types import AttemptId

SPARE: Final = 64  # entries out of date in a small heap; it is rebuilt when most of it is


class Alarms:
    """Deadlines of live attempts. A look that comes too early is harmless, so none is moved."""

    def __init__(self, live: Mapping[AttemptId, LiveAttempt]) -> None:
        self._live = live
        self._heap: list[tuple[float, AttemptId]] = []

    def arm(self, live: LiveAttempt) -> None:
        """Have the attempt looked at in time; call it when its deadline may be earlier."""
        due = live.deadline()
        if due < live.armed:
            live.armed = due
            heapq.heappush(self._heap, (due, live.offer.attempt))
            if len(self._heap) > 4 * len(self._live) + SPARE:
                self._heap = [
                    (each.armed, name) for name, each in self._live.items() if each.armed < inf
                ]
                heapq.heapify(self._heap)

    def next(self) -> float:
        """Return the earliest deadline; infinity for never."""
        heap, live = self._heap, self._live
        while heap and heap[0][1] not in live:  # most attempts end before anything is due
            heapq.heappop(heap)
        return heap[0][0] if heap else inf

    def due(self, now: float) -> Iterator[LiveAttempt]:
        """Yield what is due; it is armed anew when the next one is asked for."""
        while self._heap and self._heap[0][0] <= now:
            due, attempt = heapq.heappop(self._heap)
            live = self._live.get(attempt)
            if live is not None and live.armed == due:
                live.armed = inf
                yield live
                self.arm(live)
