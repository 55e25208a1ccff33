"""One memory-bound device, event by event: the product's `WarmSet` decides, an arm competes.

Every resource takes one of `SLOTS`; what is warm starts at once, and what is cold waits for memory
in the order of its run's arrival. Loading and work hold the memory; the processor is no limit.
"""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import fmean, quantiles
from typing import Final, TypeAlias

from benchmarks.pinning.arms import Arm
from benchmarks.pinning.workloads import KIND, Run
from orchestrator.core.retention.warm_set import Admitted, Waits, WarmSet
from protocol.types import Resource, RunId

SLOTS: Final = 8
WARM_UP: Final = 8  # one run in so many, from the first on, does not count: all arms learn then

_WAKE: Final = -1
_Happening: TypeAlias = tuple[float, int, int, int, bool]
"""When, its number, the run (or `_WAKE`), its turn, and whether that ends (or becomes ready)."""


@dataclass(slots=True)
class Outcome:
    """What came of one simulation. Times in seconds."""

    completion_s: list[float] = field(default_factory=list)
    returns: int = 0
    reloads: int = 0
    held_s: float = 0.0
    work: list[tuple[float, float]] = field(default_factory=list)
    """When turns ended, and how much work each was."""
    last_first_s: float = 0.0
    """When the first turn of the last run began: until then there was somebody waiting."""

    @property
    def counted(self) -> list[float]:
        """The completion times of all but the first runs."""
        return self.completion_s[len(self.completion_s) // WARM_UP :]

    @property
    def mean_s(self) -> float:
        """Mean completion time."""
        return fmean(self.counted)

    @property
    def p95_s(self) -> float:
        """Completion time that 95 % of the runs do not exceed."""
        return quantiles(self.counted, n=20)[-1]

    def busy_share(self, slots: int, skipped: float) -> float:
        """Return the share of memory-seconds that did work, while somebody waited for memory.

        Args:
            slots: of the device.
            skipped: the share of that time, from the beginning, that does not count.
        """
        end = self.last_first_s
        begin = skipped * end
        work_s = sum(work_s for at, work_s in self.work if begin < at <= end)
        return work_s / (slots * (end - begin))

    @property
    def reload_share(self) -> float:
        """Share of the returns that found nothing warm."""
        return self.reloads / max(1, self.returns)


class Device:
    """The simulation of one policy on one drawn workload."""

    def __init__(
        self, runs: Sequence[Run], arm: Arm, between_s: float, slots: int = SLOTS
    ) -> None:
        self.runs = runs
        self.arm = arm
        self.outcome = Outcome(completion_s=[0.0] * len(runs))
        self.warm = WarmSet({KIND: slots}, arm.keeping)
        self._names = [Resource(KIND, "", RunId(str(number))) for number in range(len(runs))]
        self._between_s = between_s
        self._count = itertools.count()
        self._agenda: list[_Happening] = []
        self._cold: list[tuple[int, int, float]] = []  # run, turn, ready since
        self._wake_at = inf

    def run(self) -> Outcome:
        """Play all runs to their ends."""
        for number, run in enumerate(self.runs):
            self._plan(run.arrival * self._between_s, number, 0, ends=False)
        then = 0.0
        while self._agenda:
            now, _, number, turn, ends = heapq.heappop(self._agenda)
            self.outcome.held_s += self.warm.charged.get(KIND, 0.0) * (now - then)
            then = now
            if number == _WAKE:
                self._wake_at = inf
            elif ends:
                self._end(number, turn, now)
            else:
                self._ready(number, turn, now)
            self._dispatch(now)
        return self.outcome

    def _ready(self, number: int, turn: int, now: float) -> None:
        if turn:
            self.arm.learn(self.runs[number].turns[turn - 1])
            self.outcome.returns += 1
        if self._names[number] in self.warm.warm:
            self._begin(number, turn, now)
        else:
            heapq.heappush(self._cold, (number, turn, now))

    def _dispatch(self, now: float) -> None:
        while self._cold:
            number, turn, since = self._cold[0]
            answer = self._begin(number, turn, now)
            if isinstance(answer, Waits):
                if answer.until < self._wake_at:
                    self._wake_at = answer.until
                    self._plan(answer.until, _WAKE, 0, ends=False)
                return
            heapq.heappop(self._cold)
            if turn:
                self.outcome.reloads += 1
                self.arm.waited(now - since)
            else:
                self.outcome.last_first_s = now

    def _begin(self, number: int, turn: int, now: float) -> Waits | None:
        answer = self.warm.admit({self._names[number]: 1.0}, now)
        if isinstance(answer, Waits):
            return answer
        assert isinstance(answer, Admitted)
        load_s = self.arm.reload_s if answer.loads else 0.0
        self._plan(now + load_s + self.runs[number].turns[turn].work_s, number, turn, ends=True)
        return None

    def _end(self, number: int, turn: int, now: float) -> None:
        run, name = self.runs[number], self._names[number]
        done = run.turns[turn]
        self.outcome.work.append((now, done.work_s))
        last = turn + 1 == len(run.turns)
        over = last and self.arm.knows_last
        self.warm.expect(name, None if over else self.arm.outlook(done), now)
        self.warm.finish((name,), now)
        if last:
            self.outcome.completion_s[number] = now - run.arrival * self._between_s
            self.arm.ended(run)
        else:
            self._plan(now + done.gap_s, number, turn + 1, ends=False)

    def _plan(self, at: float, number: int, turn: int, *, ends: bool) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), number, turn, ends))
