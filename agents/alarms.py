"""When something is due: one heap, whose entries may be out of date. Pure, like `session`."""

import heapq
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, Final, Generic, Protocol, TypeVar

SPARE: Final = 64  # entries out of date in a small heap; it is rebuilt when most of it is


class Timed(Protocol):
    """What can be due."""

    armed: float
    """When it is looked at next, at the latest; infinity at first. Set by `Alarms`."""

    def deadline(self) -> float:
        """Return when there is something to do for it; infinity for never."""


Name = TypeVar("Name", bound=Any)  # ordered: of what is due together, the least comes first
Some = TypeVar("Some", bound=Timed)


class Alarms(Generic[Name, Some]):
    """Deadlines of what is in a mapping. A look too early is harmless, so none is moved."""

    def __init__(self, live: Mapping[Name, Some]) -> None:
        self._live = live
        self._heap: list[tuple[float, Name]] = []

    def arm(self, name: Name, live: Some) -> None:
        """Have it looked at in time; call it when its deadline may be earlier."""
        due = live.deadline()
        if due < live.armed:
            live.armed = due
            heapq.heappush(self._heap, (due, name))
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

    def due(self, now: float) -> Iterator[Some]:
        """Yield what is due; it is armed anew when the next one is asked for."""
        while self._heap and self._heap[0][0] <= now:
            due, name = heapq.heappop(self._heap)
            live = self._live.get(name)
            if live is not None and live.armed == due:
                live.armed = inf
                yield live
                self.arm(name, live)
