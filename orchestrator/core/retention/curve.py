"""What is known of a gap, as a curve, and what it says: how long to keep, what to give up first.

With `R` the seconds of a reload, `F` the distribution of the gap and `q` the chance that the next
use comes here at all,

```
U(t) = R·q·F(t) - H(t)         H(t) = ∫ 0..t (1 - q·F(u)) du
lease = argmax U               index at age a = max over t > a of q·(F(t) - F(a)) / (H(t) - H(a))
```

The lease is exact over all points: it is the last vertex of the least concave majorant of the
points (H, q·F) whose slope is at least 1/R. Ages count from the last use.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, TypeAlias

TAIL_S: Final = 0.25
"""Beyond all data the chance of a return falls as 1/age, from this age on."""
FINENESS: Final = 0.05
"""A rise of `F` counts over at least this share of the age: no single sample decides."""

Point: TypeAlias = tuple[float, float, float]
"""Held seconds `H`, share returned `q·F`, and the gap `t` where both are reached."""

_share = itemgetter(1)
_time = itemgetter(2)


class Curve:
    """The points where `F` rises, by rising gap. One without points knows nothing of the gap."""

    __slots__ = ("_hull", "points", "reuse")

    def __init__(self, points: Sequence[Point] = (), reuse: float = 1.0) -> None:
        self.points = points
        self.reuse = reuse
        self._hull: tuple[list[Point], list[float]] | None = None

    def lease_s(self, reload_s: float, age_s: float = 0.0) -> float:
        """Return the age until which to protect what takes `reload_s` to load again.

        It is not above `age_s` if keeping pays no longer. Without points it is `q·R`: by the
        ski-rental argument at most twice the cost of knowing the gap. O(log n) once the hull is
        there; O(n) at an age past the lease, where a later rise may pay again.
        """
        if reload_s <= 0.0 or self.reuse <= 0.0:
            return 0.0
        if not self.points:
            return reload_s * self.reuse
        vertices, slopes = self._hull or self._build()
        lease_s = vertices[bisect_right(slopes, -1.0 / reload_s)][2]
        return lease_s if age_s <= lease_s else self._renewed(reload_s, age_s)

    def index(self, age_s: float) -> float:
        """Return the best rate of return per held second from this age on, in 1/s.

        Keep a resource while `R·index ≥ 1`; under pressure the smallest `R·index` goes first.
        """
        held, returned, first = self._at(age_s)
        if first == len(self.points):
            return self.reuse / max(age_s, TAIL_S)
        least = (1.0 - returned) * FINENESS * max(1.0, age_s)
        return max(
            (share - returned) / max(at - held, least) for at, share, _ in self.points[first:]
        )

    def returned(self, time_s: float) -> float:
        """Return `q·F`: the share of gaps that are over by then."""
        first = bisect_right(self.points, time_s, key=_time)
        return self.points[first - 1][1] if first else 0.0

    def remaining_s(self, age_s: float, unit: float) -> float:
        """Return a quantile of what is left of a gap that has lasted `age_s`.

        Args:
            age_s: how long it has lasted.
            unit: which quantile, from 0 to 1, 1 excluded.

        Beyond all data the survival falls as 1/t. For a curve with `q` = 1.
        """
        last_s, last = (self.points[-1][2], self.points[-1][1]) if self.points else (0.0, 0.0)
        tail_s = max(last_s, TAIL_S)
        alive = 1.0 - self.returned(age_s) if age_s <= tail_s else (1.0 - last) * tail_s / age_s
        target = alive * (1.0 - unit)
        if target < 1.0 - last or not self.points:
            return max(0.0, (1.0 - last) * tail_s / target - age_s)
        first = bisect_left(self.points, 1.0 - target, key=_share)
        return max(0.0, self.points[min(first, len(self.points) - 1)][2] - age_s)

    def _at(self, age_s: float) -> tuple[float, float, int]:
        """Return what is held and returned at an age, and where the later points begin."""
        first = bisect_right(self.points, age_s, key=_time)
        held, returned, since_s = self.points[first - 1] if first else (0.0, 0.0, 0.0)
        return held + (1.0 - returned) * (age_s - since_s), returned, first

    def _renewed(self, reload_s: float, age_s: float) -> float:
        """Return the best age from `age_s` on; that age itself if waiting pays no more."""
        held, returned, first = self._at(age_s)
        best, until_s = 0.0, age_s
        for at, share, time_s in self.points[first:]:
            gain = reload_s * (share - returned) - (at - held)
            if gain > best:
                best, until_s = gain, time_s
        return until_s

    def _build(self) -> tuple[list[Point], list[float]]:
        """Return the vertices of the least concave majorant, and its slopes, negated to rise."""
        vertices: list[Point] = [(0.0, 0.0, 0.0)]
        slopes: list[float] = []
        for point in self.points:
            held, share, _ = point
            while vertices:
                last_held, last_share, _ = vertices[-1]
                if held > last_held:
                    slope = (last_share - share) / (held - last_held)
                    if not slopes or slope > slopes[-1]:
                        slopes.append(slope)
                        break
                vertices.pop()
                del slopes[-1:]  # the edge that led there, but for the first vertex
            vertices.append(point)
        self._hull = vertices, slopes
        return self._hull


def product_limit(samples: Sequence[tuple[float, bool]], reuse: float = 1.0) -> Curve:
    """Return the curve of gaps, each with whether it was cut short (Kaplan and Meier 1958).

    Args:
        samples: sorted; what ended comes before what was cut at the same age.
        reuse: `q`, the chance from 0 to 1 that the next use comes to this device.

    One pseudo-sample stays beyond all data, so that `F` never reaches 1. O(n).
    """
    points: list[Point] = []
    surviving, held, last_s = 1.0, 0.0, 0.0
    at_risk = len(samples) + 1
    for gap_s, cut in samples:
        held += (1.0 - reuse * (1.0 - surviving)) * (gap_s - last_s)
        last_s = gap_s
        if not cut:
            surviving *= 1.0 - 1.0 / at_risk
            points.append((held, reuse * (1.0 - surviving), gap_s))
        at_risk -= 1
    return Curve(points, reuse)


def soonest(curves: Iterable[Curve]) -> Curve:
    """Return the curve of a shared resource: whichever of its independent next users comes first.

    O(users · points). A user of whom nothing is known does not shorten the gap, but adds to the
    chance that there is a next use at all.
    """
    users = tuple(curves)
    known = [curve for curve in users if curve.points]
    points: list[Point] = []
    alive, held, last_s = 1.0, 0.0, 0.0
    for time_s in sorted({point[2] for curve in known for point in curve.points}):
        held += alive * (time_s - last_s)
        last_s, alive = time_s, 1.0
        for curve in known:
            alive *= 1.0 - curve.returned(time_s)
        points.append((held, 1.0 - alive, time_s))
    absent = 1.0
    for curve in users:
        absent *= 1.0 - curve.reuse
    return Curve(points, 1.0 - absent)
