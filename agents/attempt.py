"""An attempt whose skill runs: its clocks, and what is said of it. Pure, like `session`.

It is ACCEPTED until its row is durable and its skill really **begins**; only then do its clocks
run. While what it needs is **loading** its limit counts as well, and its lease, whatever its
effect class: it has not started, and what keeps it from that refuses it. A `once` attempt that was
cut off is live for longer where its skill can `reconcile`: what runs then is the question what
came of it. That is no work: it has no lease and a limit of its own.
"""

import math
from typing import Final, NamedTuple, Self

from agents.actions import AttemptRow, Work
from agents.archive import cut_off
from protocol.codec import Form, Request
from protocol.messages import Answer, Offer, Phase
from protocol.types import (
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)

ANNOUNCE_AFTER_S: Final = 0.005  # what is faster costs one report instead of two
PROGRESS_EVERY_S: Final = 0.5  # at most two lines a second and attempt, the newest wins
RECONCILE_S: Final = 30.0  # to look something up; a person waits for it


class Fetched(NamedTuple):
    """What an attempt had to fetch from other devices, and how long it waited for artifacts."""

    size_bytes: int = 0
    """What came over the network for it."""
    fetch_s: float = 0.0
    """How long that took, one after the other."""
    waited_s: float = 0.0
    """How long it waited, whoever fetched them."""


NOTHING: Final = Fetched()


class LiveAttempt:
    """One attempt from its acceptance until its skill has really stopped.

    Args:
        offer: what it is.
        effect: the stricter of what the offer and its skill say.
        caller: who hears of it.
        now: when it was accepted: its lease counts from here.
        reconciles: whether the skill can find out what came of it.
    """

    __slots__ = (
        "answers", "armed", "caller", "canceller", "effect", "expires_at", "limit_at", "limit_s",
        "loading", "note", "offer", "phase", "progress", "question", "quiet_until",
        "reconciles", "reconciling", "recorded", "say_at", "started_at", "stop",
    )  # fmt: skip

    def __init__(
        self, offer: Offer, effect: Effect, caller: Request, now: float, *, reconciles: bool
    ) -> None:
        self.offer = offer
        self.effect = effect
        self.caller = caller
        self.canceller: Request | None = None
        self.answers = frozenset[bytes]()
        """The correlations of those taken, to know a repeat that names no question."""
        self.question = 0
        """The number of the newest one that it asked; a look-up asks none."""
        self.phase = Phase.ACCEPTED
        self.progress: float | None = None
        self.note = ""
        self.recorded = False
        self.reconciles = reconciles and effect is Effect.ONCE
        self.reconciling = self.loading = False
        self.started_at: float | None = None
        self.expires_at = now + offer.ttl_s
        self.limit_s = offer.limit_s
        self.limit_at = math.inf
        self.quiet_until = self.say_at = self.armed = math.inf
        self.stop: Outcome | None = None
        """Why it was told to stop: its outcome, unless it succeeds all the same."""

    @classmethod
    def cut_off(cls, row: AttemptRow, work: Work, caller: Request) -> Self:
        """Return an attempt of which nobody knows the end, for its skill to look it up."""
        offer = Offer(
            row.attempt, row.run, work.task, 0, row.epoch, row.token, 0.0, work.skill, work.args,
            row.effect,
        )  # fmt: skip
        live = cls(offer, row.effect, caller, 0.0, reconciles=True)
        live.recorded = True
        live.reconcile()
        return live

    def load(self, note: str, now: float) -> None:
        """Let it wait for what it needs; `note` says for what."""
        if not self.loading:
            self.loading, self.quiet_until = True, now + ANNOUNCE_AFTER_S
            self.limit_at = math.inf if self.limit_s is None else now + self.limit_s
        self.note = note
        self.say_soon(now)

    def ready(self) -> bool:
        """Let it start; return whether the ledger must say so first: it is `once`, or refused."""
        refused = self.recorded
        self.loading, self.note, self.recorded = False, "", False
        return refused or self.effect is Effect.ONCE

    def begin(self, now: float) -> None:
        """Let its clocks run: its skill, or the question what came of it, does from now on."""
        self.started_at = self.quiet_until = now
        if self.limit_s is not None:
            self.limit_at = min(self.limit_at, now + self.limit_s)
        if not self.reconciling:
            self.phase = Phase.STARTED
            self.quiet_until += ANNOUNCE_AFTER_S
            self.say_soon(now)

    def reconcile(self) -> None:
        """Go on to the question what came of it, which begins anew."""
        self.reconciling, self.phase, self.note = True, Phase.STARTED, "looking up what came of it"
        self.progress = self.stop = self.started_at = None
        self.limit_s, self.limit_at = RECONCILE_S, math.inf
        self.expires_at = self.say_at = math.inf

    def ask(self, question: str) -> None:
        """Let it wait for a person."""
        self.phase, self.note, self.say_at = Phase.INPUT_REQUIRED, question, math.inf
        self.question += 1

    def awaits(self, answer: Answer, by: Request) -> bool:
        """Tell whether this answers its open question."""
        new = by.correlation not in self.answers
        fits = answer.question == self.question if answer.question else new
        return self.phase is Phase.INPUT_REQUIRED and fits

    def answered(self, by: Request) -> None:
        """Let it go on; whoever answered hears of it from now on."""
        self.answers |= {by.correlation}
        self.phase, self.note, self.caller = Phase.STARTED, "", by

    def renew(self, ttl_s: float, now: float) -> None:
        """Let its lease last from now, unless it has lapsed."""
        if now < self.expires_at < math.inf:
            self.expires_at = now + ttl_s

    def say_soon(self, now: float) -> None:
        """Have the state said to those who follow it, but not too often."""
        if self.caller.form is Form.STREAM:
            self.say_at = min(self.say_at, max(now, self.quiet_until))

    def said(self, now: float) -> None:
        """Note that the state was said."""
        self.say_at, self.quiet_until = math.inf, now + PROGRESS_EVERY_S

    def deadline(self) -> float:
        """Return when there is something to do for it; infinity for never."""
        if self.stop is not None or (self.started_at is None and not self.loading):
            return self.say_at
        lapses = self.effect is Effect.ONCE or self.loading
        lapse = self.expires_at if lapses else math.inf
        return min(self.say_at, self.limit_at, lapse)

    def too_late(self, now: float) -> Outcome | None:
        """Say why it may not begin any more, if so: it waited too long for the ledger."""
        if self.reconciling or isinstance(self.stop, Cancelled):
            return self.stop
        if self.stop is not None or now >= self.expires_at:
            return Rejected("the device could not record it in time: it never started")
        return None

    def overdue(self, now: float) -> Outcome | None:
        """Say why it must stop now, if it must."""
        if self.loading:
            return self._late_load(now)
        if self.effect is Effect.ONCE and now >= self.expires_at:
            return cut_off(self.effect, "its lease lapsed while it ran")
        if now >= self.limit_at:
            what = "the look-up" if self.reconciling else "it"
            why = f"{what} was stopped at its limit of {self.limit_s:g} s"
            # Stopped in the middle, a `once` attempt may have had its effect.
            once = self.effect is Effect.ONCE
            return cut_off(self.effect, why) if once else Failed(FailureKind.TIMEOUT, why)
        return None

    def _late_load(self, now: float) -> Outcome | None:
        if now >= self.expires_at:
            return Rejected(f"its lease lapsed while it waited ({self.note}): it never started")
        if now >= self.limit_at:
            why = f"{self.note}: it was stopped at its limit of {self.limit_s:g} s"
            return Failed(FailureKind.TIMEOUT, why)
        return None

    def interrupted(self) -> Outcome:
        """Say what is known of it, as the agent stops."""
        if self.loading:
            return Rejected("the agent was stopped before it started")
        return cut_off(self.effect, "the agent was stopped while it ran")

    def verdict(self, outcome: Outcome) -> Outcome:
        """Return what an end comes to, in view of why it was told to stop."""
        if isinstance(outcome, Succeeded | Rejected):
            return outcome
        outcome = self.stop or outcome
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.LEASE_LOST:
            return cut_off(self.effect, outcome.detail)
        return outcome

    def run_s(self, now: float, waited_s: float) -> float | None:
        """Return how long its skill ran, if it did, but for the wait for artifacts."""
        if self.reconciling or self.started_at is None:
            return None
        return max(0.0, now - self.started_at - waited_s)

    def row(self, outcome: Outcome | None = None, run_s: float | None = None) -> AttemptRow:
        """Return what the ledger shall say of it."""
        offer, work = self.offer, None
        if self.loading and outcome is None:
            outcome = Rejected("the agent restarted before it started")
        if self.reconciles and isinstance(outcome, Unknown | None):
            work = Work(offer.task, offer.skill, offer.args)
        return AttemptRow(
            offer.attempt, offer.run, offer.epoch, offer.token, self.effect, outcome, run_s,
            closed=not offer.token, work=work,
        )  # fmt: skip
