"""The policies that compete: each says what it knows of the next use, and by which rule it keeps.

All know the last use of a resource from the graph, Continuum too: its last turn calls no tool.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from statistics import fmean
from typing import Final

from benchmarks.pinning.workloads import KIND, Run, Turn, Wait
from orchestrator.core.retention.curve import Curve
from orchestrator.core.retention.keys import GapHistories, GapKey
from orchestrator.core.retention.warm_set import ByIndex, ByLease, Keeping, Outlook

NOTHING_KNOWN: Final = Curve()


@dataclass(slots=True)
class Fixed:
    """Protect for the same time always, then give up what was used longest ago."""

    ttl_s: float

    def protect_s(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - fixed
        """See `Keeping.protect_s`."""
        return self.ttl_s

    def worth(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - by age alone
        """See `Keeping.worth`."""
        return -age_s


@dataclass(slots=True)
class Arm:
    """A policy that learns nothing."""

    reload_s: float
    keeping: Keeping

    def outlook(self, turn: Turn) -> Outlook | None:  # noqa: ARG002 - learns nothing
        """Return what it knows of the gap that begins; None: it does not keep at all."""
        return Outlook(NOTHING_KNOWN, self.reload_s)

    def learn(self, turn: Turn) -> None:
        """See a gap end."""

    def waited(self, wait_s: float) -> None:
        """See how long a resource that was evicted had to wait for memory."""

    def ended(self, run: Run) -> None:
        """See a run end."""


class NoPin(Arm):
    """Drops everything after each use."""

    def outlook(self, turn: Turn) -> None:
        """See `Arm.outlook`."""


class Clairvoyant(Arm):
    """Knows how long the gap will be."""

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        return Outlook(Curve([(turn.gap_s, 1.0, turn.gap_s)]), self.reload_s)


@dataclass(slots=True)
class Learning(Arm):
    """Learns gaps by skill; `finer`: and by device class. `threshold`: keeps while R·h ≥ it."""

    finer: bool = False
    threshold: float = 1.0
    histories: GapHistories = field(default_factory=GapHistories)

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        _, gaps = self.histories.speaking(self._key(turn.wait))
        return Outlook(gaps.curve(), self.reload_s / self.threshold)

    def learn(self, turn: Turn) -> None:
        """See `Arm.learn`."""
        self.histories.add(self._key(turn.wait), turn.gap_s)

    def _key(self, wait: Wait) -> GapKey:
        return GapKey(KIND, wait.skill, wait.device_class if self.finer else "")


@dataclass(slots=True)
class Formula:
    """Continuum's lease: the time that maximises `F(t)·(R + T·eta) - t`."""

    queueing_s: float = 0.0
    eta: float = 1.0

    def protect_s(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - static
        """See `Keeping.protect_s`."""
        saved_s = outlook.reload_s + self.queueing_s * self.eta
        points = outlook.curve.points
        if not points:
            return saved_s
        scale = saved_s * (len(points) + 1) / len(points)  # it has no pseudo-sample
        best, lease_s = max((share * scale - time_s, -time_s) for _, share, time_s in points)
        return -lease_s if best > 0.0 else 0.0

    def worth(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - by age alone
        """See `Keeping.worth`."""
        return -age_s


class Continuum(Learning):
    """Li et al., arXiv 2511.02230: gaps by tool, the queueing delay of evicted requests added.

    `eta` = 1, or (`pearson`) the negative correlation of turns done with turns left, over the runs
    that ended: how far a run that went on for long is near its end. This is our reading of it.
    """

    def __init__(self, reload_s: float, *, pearson: bool = False) -> None:
        self.formula = Formula()
        super().__init__(reload_s, self.formula)
        self._waits: deque[float] = deque(maxlen=128)
        self._pearson = pearson
        self._sums = [0.0] * 6

    def waited(self, wait_s: float) -> None:
        """See `Arm.waited`."""
        self._waits.append(wait_s)
        self.formula.queueing_s = fmean(self._waits)

    def ended(self, run: Run) -> None:
        """See `Arm.ended`."""
        if not self._pearson:
            return
        for done in range(1, len(run.turns) + 1):
            left = len(run.turns) - done
            terms = (1, done, left, done * done, left * left, done * left)
            self._sums = [a + b for a, b in zip(self._sums, terms, strict=True)]
        n, x, y, xx, yy, xy = self._sums
        spread = ((n * xx - x * x) * (n * yy - y * y)) ** 0.5
        self.formula.eta = min(1.0, max(0.0, (x * y - n * xy) / spread)) if spread else 1.0


ARMS: Final[Mapping[str, Callable[[float], Arm]]] = {
    "no_pin": lambda reload_s: NoPin(reload_s, Fixed(0.0)),
    "for_ever": lambda reload_s: Arm(reload_s, Fixed(inf)),
    "fixed_2s": lambda reload_s: Arm(reload_s, Fixed(2.0)),
    "lru": lambda reload_s: Arm(reload_s, Fixed(0.0)),
    "continuum_one": Continuum,
    "continuum_pearson": lambda reload_s: Continuum(reload_s, pearson=True),
    "lease": lambda reload_s: Learning(reload_s, ByLease()),
    "index": lambda reload_s: Learning(reload_s, ByIndex()),
    "finer": lambda reload_s: Learning(reload_s, ByIndex(), finer=True),
    "clairvoyant": lambda reload_s: Clairvoyant(reload_s, ByIndex()),
}
OURS: Final = ("lease", "index", "finer")
CONTINUUM: Final = ("continuum_one", "continuum_pearson")
HINDSIGHT: Final = "fixed_best"
HINDSIGHT_TTLS_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def fixed(ttl_s: float) -> Callable[[float], Arm]:
    """Return the arm with this TTL."""
    return lambda reload_s: Arm(reload_s, Fixed(ttl_s))
