"""How much of something is in use over time: a step function that only ever rises."""

import math
from bisect import bisect_left, bisect_right


class Profile:
    """The use of one resource of constant capacity; amounts are ≥ 0. Intervals are half-open."""

    __slots__ = ("_full", "_times", "_used", "capacity", "free_from")

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self._times = [-math.inf]
        self._used = [0.0]
        self._full = 0
        """How many steps from the beginning are full: nobody looks there again."""
        self.free_from = -math.inf
        """When anything is free for the first time."""

    def earliest(self, start: float, duration: float, amount: float) -> float:
        """Return from when on, at or after `start`, so much is free for so long; inf: never."""
        times, used, room = self._times, self._used, self.capacity - amount
        if duration <= 0.0:
            return start
        if start < self.free_from:
            n, start = self._full, self.free_from
        else:
            n = bisect_right(times, start) - 1
        last = len(times)
        while True:
            taken = used[n] > room
            n += 1
            if taken and n < last:
                start = times[n]
            elif n == last or times[n] >= start + duration:
                return math.inf if taken else start

    def at(self, time: float) -> tuple[float, float]:
        """Return how much is used at a time, and until when; inf: from then on."""
        n = bisect_right(self._times, time)
        return self._used[n - 1], self._times[n] if n < len(self._times) else math.inf

    def take(self, start: float, end: float, amount: float) -> None:
        """Use an amount for some time."""
        if start >= end:
            return
        times, used = self._times, self._used
        first = bisect_left(times, start)
        if first == len(times) or times[first] != start:
            times.insert(first, start)
            used.insert(first, used[first - 1])
        last = bisect_left(times, end, first + 1)
        if last == len(times) or times[last] != end:
            times.insert(last, end)
            used.insert(last, used[last - 1])
        for n in range(first, last):
            used[n] += amount
        while used[self._full] >= self.capacity and self._full < len(used) - 1:
            self._full += 1
        self.free_from = times[self._full]
