"""The gaps between uses of a warm resource, and how long keeping it through the next one pays.

Continuum (Li et al., arXiv 2511.02230, section 4) keeps a KV cache for the time that maximises
expected saving less cost. We charge what is really held, `min(gap, lease)`, and no queueing term:
with `R` the seconds of a reload, `F` the distribution of the gap and `q` the chance that the next
use comes here at all,

```
U(t) = R·q·F(t) - H(t)         H(t) = ∫ 0..t (1 - q·F(u)) du
lease = argmax U               index at age a = max over t > a of q·(F(t) - F(a)) / (H(t) - H(a))
```

`F` is the product-limit estimate (Kaplan and Meier 1958): a gap that was cut short (its run was
cancelled, its device lost) counts as longer than it was seen. One pseudo-sample stays beyond all
data, so that `F` never reaches 1. The lease is exact over all samples: it is the last vertex of
the least concave majorant of the points (H, q·F) whose slope is at least 1/R.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, TypeAlias

WINDOW: Final = 128
"""Samples kept: follows drift, within 2.5 % of 512 where there is none."""
ENOUGH: Final = 20
"""Samples from which on a history speaks."""
TAIL_S: Final = 0.25
"""Beyond all data the chance of a return falls as 1/age, from this age on."""
FINENESS: Final = 0.05
"""A rise of `F` counts over at least this share of the age: no single sample decides."""

Point: TypeAlias = tuple[float, float, float]
"""Held seconds `H`, share returned `q·F`, and the gap `t` where both are reached."""


class Gaps:
    """The last `WINDOW` gaps, in seconds ≥ 0. Adding costs O(log n) plus a short move."""

    __slots__ = ("_arrived", "_hulls", "_sorted", "_window")

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._arrived: deque[tuple[float, bool]] = deque()
        self._sorted: list[tuple[float, bool]] = []  # ends before cuts where they tie
        self._hulls: dict[float, tuple[list[Point], list[float]]] = {}

    def __len__(self) -> int:
        return len(self._arrived)

    def add(self, gap_s: float, *, cut: bool = False) -> None:
        """Take a gap; `cut`: it was longer than that, nobody knows by how much."""
        sample = (gap_s, cut)
        self._arrived.append(sample)
        insort(self._sorted, sample)
        if len(self._arrived) > self._window:
            del self._sorted[bisect_left(self._sorted, self._arrived.popleft())]
        if self._hulls:
            self._hulls = {}

    def lease_s(self, reload_s: float, reuse: float = 1.0) -> float:
        """Return how long to protect what takes `reload_s` to load again.

        Args:
            reload_s: the cost of loading it again.
            reuse: `q`, the chance from 0 to 1 that its next use comes to this device.

        With fewer than `ENOUGH` samples it is `q·R`: by the ski-rental argument at most twice
        the cost of knowing the gap. O(log n) until the next `add`.
        """
        if reload_s <= 0.0 or reuse <= 0.0:
            return 0.0
        if len(self._arrived) < ENOUGH:
            return reload_s * reuse
        vertices, slopes = self._hull(reuse)
        return vertices[bisect_right(slopes, -1.0 / reload_s)][2]

    def index(self, age_s: float, reuse: float = 1.0) -> float:
        """Return the best rate of return per held second from this age on, in 1/s.

        Keep a resource while `R·index ≥ 1`; under pressure the smallest `R·index` goes first.
        """
        returned = held = last_s = 0.0
        later: list[Point] = []
        for point in self._curve(reuse):
            if point[2] <= age_s:
                held, returned, last_s = point
            else:
                later.append(point)
        if not later:
            return reuse / max(age_s, TAIL_S)
        held += (1.0 - returned) * (age_s - last_s)
        least = (1.0 - returned) * FINENESS * max(1.0, age_s)
        return max((share - returned) / max(at - held, least) for at, share, _ in later)

    def _curve(self, reuse: float) -> Iterator[Point]:
        """Yield the points where `F` rises."""
        surviving, held, last_s = 1.0, 0.0, 0.0
        at_risk = len(self._sorted) + 1
        for gap_s, cut in self._sorted:
            held += (1.0 - reuse * (1.0 - surviving)) * (gap_s - last_s)
            last_s = gap_s
            if not cut:
                surviving *= 1.0 - 1.0 / at_risk
                yield held, reuse * (1.0 - surviving), gap_s
            at_risk -= 1

    def _hull(self, reuse: float) -> tuple[list[Point], list[float]]:
        """Return the vertices of the least concave majorant, and its slopes, negated to rise."""
        if (known := self._hulls.get(reuse)) is not None:
            return known
        vertices: list[Point] = [(0.0, 0.0, 0.0)]
        for point in self._curve(reuse):
            while vertices and (
                point[0] == vertices[-1][0]
                or (len(vertices) > 1 and _below(vertices[-2], vertices[-1], point))
            ):
                vertices.pop()
            vertices.append(point)
        slopes = [-(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(vertices)]
        self._hulls[reuse] = vertices, slopes
        return vertices, slopes


def _below(left: Point, middle: Point, right: Point) -> bool:
    """Tell whether the middle point lies on or below the line through the others."""
    return (middle[1] - left[1]) * (right[0] - middle[0]) <= (right[1] - middle[1]) * (
        middle[0] - left[0]
    )
