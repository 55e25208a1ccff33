"""The gaps between uses of a warm resource, and how long keeping it through the next one pays.

Continuum (Li et al., arXiv 2511.02230, section 4) keeps a KV cache for the time that maximises
expected saving less cost. We charge what is really held, `min(gap, lease)`, and no queueing term;
`curve` holds the formula. A gap that was cut short (its run was cancelled, its device lost) counts
as longer than it was seen.
"""

from bisect import bisect_left, insort
from collections import deque
from typing import Final

from orchestrator.core.retention.curve import Curve, product_limit

WINDOW: Final = 128
"""Samples kept: follows drift, within 2.5 % of 512 where there is none."""
ENOUGH: Final = 20
"""Samples from which on a history speaks."""


class Gaps:
    """The last `WINDOW` gaps, in seconds ≥ 0. Adding costs O(log n) plus a short move."""

    __slots__ = ("_arrived", "_curves", "_sorted", "_window")

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._arrived: deque[tuple[float, bool]] = deque()
        self._sorted: list[tuple[float, bool]] = []  # ends before cuts where they tie
        self._curves: dict[float, Curve] = {}

    def __len__(self) -> int:
        return len(self._arrived)

    def add(self, gap_s: float, *, cut: bool = False) -> None:
        """Take a gap; `cut`: it was longer than that, nobody knows by how much."""
        sample = (gap_s, cut)
        self._arrived.append(sample)
        insort(self._sorted, sample)
        if len(self._arrived) > self._window:
            del self._sorted[bisect_left(self._sorted, self._arrived.popleft())]
        if self._curves:
            self._curves = {}

    def samples(self) -> tuple[tuple[float, bool], ...]:
        """Return what is remembered, the oldest first."""
        return tuple(self._arrived)

    def curve(self, reuse: float = 1.0) -> Curve:
        """Return what the gaps say, if `q` = `reuse`; fewer than `ENOUGH` of them say nothing.

        It stays as it is when gaps are added. O(n) after an `add`.
        """
        if (known := self._curves.get(reuse)) is None:
            few = len(self._arrived) < ENOUGH
            known = Curve((), reuse) if few else product_limit(self._sorted, reuse)
            self._curves[reuse] = known
        return known

    def lease_s(self, reload_s: float, reuse: float = 1.0) -> float:
        """Return how long to protect what takes `reload_s` to load again; see `Curve.lease_s`."""
        return self.curve(reuse).lease_s(reload_s)

    def index(self, age_s: float, reuse: float = 1.0) -> float:
        """Return the best rate of return per held second from this age on, in 1/s."""
        return self.curve(reuse).index(age_s)
