"""What a device remembers of attempts that are over, and of runs. Pure, like `session`.

A **result** is kept until its coordinator acknowledges it. What is **closed** (acknowledged, never
started, or done for a plain A2A client) is remembered so that a late offer of it starts nothing.
The oldest closed are forgotten by raising their run's **floor**, the (epoch, token) at or below
which no offer is taken any more. That is no lie: what was forgotten either never started, or its
coordinator holds the result. A floor has the newest epoch seen, so that no later coordinator can
lift an attempt above it by offering it again.

The **home** of a run is the topic of whoever brought its highest epoch. Its results go there, and
only from there are they acknowledged: a coordinator that lost the run may hold them in vain.

An acknowledged outcome that is `Unknown` is kept as closed, with its `work`, where the skill can
`reconcile`: it may be asked about again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from agents.actions import Action, AttemptRow, Forget, ForgetRun, Row, RunRow, Work
from protocol.codec import Request
from protocol.messages import Hello, Phase
from protocol.types import (
    AttemptId,
    Effect,
    Failed,
    FailureKind,
    Outcome,
    Rejected,
    RunId,
    Unknown,
)

RESULTS_KEPT: Final = 4096  # unacknowledged; beyond that no work is taken: nothing is dropped
CLOSED_KEPT: Final = 4096
UNHEARD_S: Final = 10.0  # acknowledgements come within a second: the result, or they, got lost
RUNS_KEPT: Final = 1024  # those used last, and every one with an attempt


def cut_off(effect: Effect, why: str) -> Outcome:
    """Say what is known of an attempt that did not come to its own end."""
    if effect is Effect.ONCE:
        return Unknown(f"{why}, its outcome is not recorded")
    return Failed(FailureKind.DEVICE_LOST, why)


def phase_of(row: AttemptRow) -> Phase:
    """Say how far a result's attempt has come: whoever hears that it is over takes it as started.

    Its result may come later or not at all, and a refusal after a start is no promise.
    """
    refused = isinstance(row.outcome, Rejected) and row.run_s is None
    return Phase.ACCEPTED if refused else Phase.FINISHED


class Run:
    """What is known of one run."""

    __slots__ = ("epoch", "floor", "held", "home", "recorded_floor")

    def __init__(self, epoch: int, floor: tuple[int, int] = (-1, -1), home: str = "") -> None:
        self.epoch = epoch
        self.floor = floor
        """Enforced: up to here attempts may have been forgotten."""
        self.recorded_floor = floor
        """In the ledger: up to here rows may be gone; enforced after a restart."""
        self.held = 0
        """How many of its attempts are live or results."""
        self.home: Request | None = None
        """The first order with its epoch, or as much of it as is known after a restart."""
        if home:
            self.home = Request(Hello("", {}), home, b"", None)

    def belongs(self, request: Request) -> bool:
        """Tell whether the one who asks is its home."""
        return self.home is not None and self.home.reply_to == request.reply_to

    def follower(self, caller: Request, epoch: int) -> Request:
        """Return who hears of an attempt with this epoch: its caller, unless that lost the run."""
        lost = self.epoch > epoch and not self.belongs(caller)
        return self.home if lost and self.home else caller

    def row(self, name: RunId) -> RunRow:
        """Return what the ledger shall say of it."""
        home = self.home.reply_to if self.home else ""
        return RunRow(name, self.epoch, self.recorded_floor, home)


class Archive:
    """Results, closed attempts and runs. Methods append to `out` what the ledger must learn.

    Args:
        rows: what the ledger holds.
        reconciles: skills that can find out what came of an attempt without an outcome.
    """

    def __init__(self, rows: Iterable[Row] = (), reconciles: Collection[str] = ()) -> None:
        self._reconciles = reconciles
        self.open: list[AttemptRow] = []
        """Of the results and closed: what a crash cut off, and a skill may look up."""
        self.results: dict[AttemptId, AttemptRow] = {}
        self.closed: dict[AttemptId, AttemptRow] = {}
        self.runs: dict[RunId, Run] = {}
        self._oldest: tuple[AttemptId | None, float] = (None, 0.0)
        """The oldest result, and when it was first seen to be that or asked about again."""
        for row in rows:
            self._restore(row)

    @property
    def full(self) -> bool:
        """Whether too many results wait for their acknowledgement."""
        return len(self.results) >= RESULTS_KEPT

    def find(self, attempt: AttemptId) -> AttemptRow | None:
        """Return what is remembered of an attempt."""
        return self.results.get(attempt) or self.closed.get(attempt)

    def owed(
        self, request: Request, runs: Collection[RunId], *, named: Collection[RunId]
    ) -> list[AttemptRow]:
        """Return the results for a coordinator that speaks for `runs` of those it `named`.

        What it gave and does not name any more is over for it: it will acknowledge that too.
        """
        return [
            row
            for row in self.results.values()
            if row.run in runs or (row.run not in named and self.runs[row.run].belongs(request))
        ]

    def unheard(self, now: float) -> bool:
        """Tell whether a result waits for its acknowledgement so long that a hello is due."""
        oldest = next(iter(self.results), None)
        known, since = self._oldest
        is_due = oldest is not None and oldest == known and now - since >= UNHEARD_S
        if is_due or oldest != known:
            self._oldest = (oldest, now)
        return is_due

    def seen(self, run: RunId, epoch: int, by: Request, out: list[Action]) -> Run | None:
        """Note that `epoch` speaks for the run; None if a later one already does."""
        known = self.runs.pop(run, None)
        if known is None:
            self._make_room(out)
            known = Run(epoch)
        self.runs[run] = known  # the ones used last are last
        if epoch < known.epoch:
            return None
        if epoch > known.epoch or known.home is None:
            known.epoch, known.home = epoch, by
            out.append(known.row(run))
        return known

    def finish(self, row: AttemptRow, out: list[Action]) -> None:
        """Keep the end of an attempt that was live."""
        out.append(row)
        if row.closed:
            self.runs[row.run].held -= 1
            self._close(row, out)
        else:
            self.results[row.attempt] = row

    def bury(self, row: AttemptRow, out: list[Action]) -> None:
        """Keep a tombstone: this attempt can never start."""
        out.append(row)
        self._close(row, out)

    def acknowledge(
        self,
        attempts: Iterable[AttemptId],
        by: Request,
        epochs: Mapping[RunId, int],
        out: list[Action],
    ) -> None:
        """Drop results that their coordinator holds; `epochs` are those it speaks with."""
        by_run = defaultdict[RunId, list[AttemptRow]](list)
        for attempt in attempts:
            row = self.results.get(attempt)
            if row and self._may_acknowledge(row.run, by, epochs):
                by_run[row.run].append(self.results.pop(attempt))
        for run, rows in by_run.items():
            self.runs[run].held -= len(rows)
            if gone := [row for row in rows if not row.work]:
                self._forget(gone, out)
            for row in rows:
                self._acknowledged(row, out)

    def reopen(self, row: AttemptRow) -> tuple[Work, Request] | None:
        """Take out what a skill can look up; return what it needs, and the home, or None."""
        run, work = self.runs.get(row.run), row.work
        if not run or not run.home or not work or work.skill not in self._reconciles:
            return None
        if not self.results.pop(row.attempt, None):
            run.held += 1
            self.closed.pop(row.attempt, None)
        return work, run.home

    def _may_acknowledge(self, name: RunId, by: Request, epochs: Mapping[RunId, int]) -> bool:
        run = self.runs[name]
        at_home = run.home is None or run.belongs(by)
        return at_home and epochs.get(name, run.epoch) >= run.epoch

    def _acknowledged(self, row: AttemptRow, out: list[Action]) -> None:
        if row.work:
            row = replace(row, closed=True)
            out.append(row)
        else:
            known = cut_off(row.effect, "its result was acknowledged and is forgotten")
            row = replace(row, outcome=known)
        self._close(row, out)

    def _restore(self, row: Row) -> None:
        if isinstance(row, RunRow):
            self.runs[row.run] = Run(row.epoch, row.floor, row.home)
            return
        if row.outcome is None:
            row = replace(row, outcome=cut_off(row.effect, "the agent restarted while it ran"))
            if row.work:
                self.open.append(row)
        if row.closed:
            self.closed[row.attempt] = row
        else:
            self.results[row.attempt] = row
            self.runs[row.run].held += 1

    def _make_room(self, out: list[Action]) -> None:
        if len(self.runs) < RUNS_KEPT:
            return
        if idle := next((run for run, known in self.runs.items() if not known.held), None):
            del self.runs[idle]
            out.append(ForgetRun(idle))

    def _close(self, row: AttemptRow, out: list[Action]) -> None:
        self.closed[row.attempt] = row
        if len(self.closed) <= CLOSED_KEPT:
            return
        oldest = self.closed.pop(next(iter(self.closed)))
        if run := self.runs.get(oldest.run):
            run.floor = max(run.floor, (run.epoch, oldest.token))
        if oldest.closed:
            self._forget([oldest], out)

    def _forget(self, rows: Sequence[AttemptRow], out: list[Action]) -> None:
        """Have rows of one run removed; none of these attempts may start after a restart."""
        name, run = rows[0].run, self.runs.get(rows[0].run)
        note = None
        if run:
            newest = max(row.token for row in rows)
            run.recorded_floor = max(run.recorded_floor, (run.epoch, newest))
            note = run.row(name)
        out.append(Forget(tuple(row.attempt for row in rows), note))
