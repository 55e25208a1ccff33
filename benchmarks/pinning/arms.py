"""The policies that compete: each says what it knows of the next use, and by which rule it keeps.

All but those named `…_blind` know the last use of a resource and release it then: ours from the
graph, Continuum because the last answer of a chat calls no tool. A blind one takes every turn for
one that will be followed by another; what it keeps for nothing goes when its lease is over.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, log
from statistics import fmean
from typing import Final

from benchmarks.pinning.workloads import KIND, Run, Turn, Wait
from orchestrator.core.retention.curve import Curve
from orchestrator.core.retention.gaps import Gaps
from orchestrator.core.retention.keeping import ByIndex, ByLease, Keeping, Outlook
from orchestrator.core.retention.keys import GapHistories, GapKey

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
    knows_last: bool = True

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
class Told(Arm):
    """Knows the distribution of every gap; keeps while R·h ≥ `threshold`."""

    curves: Mapping[Wait, Curve] = field(default_factory=dict)
    threshold: float = 1.0

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        return Outlook(self.curves[turn.wait], self.reload_s / self.threshold)


@dataclass(slots=True)
class Learning(Arm):
    """Learns gaps by skill; `finer`: and by device class. Keeps while R·h ≥ `threshold`.

    Where it does not know the last use, its `q` is the share of turns that others followed.
    """

    finer: bool = False
    threshold: float = 1.0
    histories: GapHistories = field(default_factory=GapHistories)
    turns: int = 0
    followed: int = 0

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        self.turns += 1
        reuse = 1.0 if self.knows_last else self.followed / self.turns
        _, gaps = self.histories.speaking(self._key(turn.wait))
        return Outlook(gaps.curve(reuse), self.reload_s / self.threshold)

    def learn(self, turn: Turn) -> None:
        """See `Arm.learn`."""
        self.followed += 1
        self.histories.add(self._key(turn.wait), turn.gap_s)

    def _key(self, wait: Wait) -> GapKey:
        return GapKey(KIND, wait.skill, wait.device_class if self.finer else "")


@dataclass(slots=True)
class Formula:
    """Continuum's lease: the time that maximises `P(t)·(R + T·eta) - t`, 0 s among them.

    Where no gaps speak, it is the best for such as are exponential with a mean of 1 s, with `T` 0.
    """

    queueing_s: float = 0.0
    eta: float = 1.0

    def protect_s(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - static
        """See `Keeping.protect_s`."""
        if not outlook.curve.points:
            return max(0.0, log(outlook.reload_s))
        return outlook.curve.lease_s(outlook.reload_s + self.queueing_s * self.eta)

    def worth(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - by age alone
        """See `Keeping.worth`."""
        return -age_s


def charged(curve: Curve) -> Curve:
    """Return it as Continuum has it: a lease is charged its whole length, however short the gap.

    `P` is the share of the gaps seen that were over by then: without our pseudo-sample.
    """
    scale = (len(curve.points) + 1) / max(1, len(curve.points))
    return Curve([(time_s, share * scale, time_s) for _, share, time_s in curve.points])


class Continuum(Learning):
    """Li et al., arXiv 2511.02230, sections 4.1, 4.2 and 5.2, with our estimator.

    The paper's: the formula; `T`, the mean queueing delay of evicted requests over a sliding
    window, 0 at first; `eta` = -Corr(k, N - k), k requests served of the N of a program: 1 where
    all are of one length, 0 where going on tells nothing of the end, and it may be negative.

    Our reading: the pairs are all requests of the runs that ended; `T` is over 128 requests; until
    there is a correlation `eta` is 1. A lease that is over leaves the resource evictable, in LRU
    order, where the paper frees it: that helps. One that is not over is broken only where nothing
    could go on otherwise, which does not happen here. (To the letter, section 5.2 breaks it when
    the head of the queue does not fit; that is eviction under any pressure, and thrashes.)

    Its gaps are ours (the last 128 of a tool, from 20 on), so that formula meets formula.
    """

    def __init__(self, reload_s: float, *, pearson: bool = False, knows_last: bool = True) -> None:
        self.formula = Formula()
        super().__init__(reload_s, self.formula, knows_last)
        self._waits: deque[float] = deque(maxlen=128)
        self._pearson = pearson
        self._sums = [0.0] * 6

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        _, gaps = self.histories.speaking(self._key(turn.wait))
        return Outlook(charged(gaps.curve()), self.reload_s)

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
        self.formula.eta = (x * y - n * xy) / spread if spread else 1.0


class ContinuumPaper(Continuum):
    """Continuum with its own estimator: all gaps of a tool, if more than 100, else all there are.

    Its curve is drawn anew when the gaps are 2 % more, to save the simulation's time.
    """

    ENOUGH: Final = 100
    RENEWED: Final = 1.02

    def __init__(self, reload_s: float) -> None:
        super().__init__(reload_s, pearson=True)
        self._gaps: dict[str, Gaps] = {}
        self._curves: dict[str, tuple[int, Curve]] = {}

    def outlook(self, turn: Turn) -> Outlook:
        """See `Arm.outlook`."""
        for name in (turn.wait.skill, ""):
            gaps = self._gaps.get(name, ())
            if len(gaps) > self.ENOUGH:
                return Outlook(self._curve(name), self.reload_s)
        return Outlook(NOTHING_KNOWN, self.reload_s)

    def learn(self, turn: Turn) -> None:
        """See `Arm.learn`."""
        for name in (turn.wait.skill, ""):
            self._gaps.setdefault(name, Gaps(window=1_000_000)).add(turn.gap_s)

    def _curve(self, name: str) -> Curve:
        gaps = self._gaps[name]
        count, curve = self._curves.get(name, (0, NOTHING_KNOWN))
        if len(gaps) >= count * self.RENEWED:
            curve = charged(gaps.curve())
            self._curves[name] = len(gaps), curve
        return curve


ARMS: Final[Mapping[str, Callable[[float], Arm]]] = {
    "no_pin": lambda reload_s: NoPin(reload_s, Fixed(0.0)),
    "for_ever": lambda reload_s: Arm(reload_s, Fixed(inf)),
    "fixed_2s": lambda reload_s: Arm(reload_s, Fixed(2.0)),
    "lru": lambda reload_s: Arm(reload_s, Fixed(0.0)),
    "continuum_one": Continuum,
    "continuum_pearson": lambda reload_s: Continuum(reload_s, pearson=True),
    "continuum_paper": ContinuumPaper,
    "continuum_blind": lambda reload_s: Continuum(reload_s, knows_last=False),
    "lease": lambda reload_s: Learning(reload_s, ByLease()),
    "index": lambda reload_s: Learning(reload_s, ByIndex()),
    "index_blind": lambda reload_s: Learning(reload_s, ByIndex(), knows_last=False),
    "finer": lambda reload_s: Learning(reload_s, ByIndex(), finer=True),
    "clairvoyant": lambda reload_s: Clairvoyant(reload_s, ByIndex()),
}
CONTINUUM: Final = ("continuum_one", "continuum_pearson", "continuum_paper")
"""The forms that ours is judged against: all know the last use, which makes it harder."""
HINDSIGHT: Final = "fixed_best"
HINDSIGHT_TTLS_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def fixed(ttl_s: float) -> Callable[[float], Arm]:
    """Return the arm with this TTL."""
    return lambda reload_s: Arm(reload_s, Fixed(ttl_s))
