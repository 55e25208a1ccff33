"""An attempt whose skill runs: its clocks, and what is said of it. Pure, like `session`."""

import math
from typing import Final

from agents.actions import AttemptRow
from agents.archive import cut_off
from protocol.codec import Form, Request
from protocol.messages import Offer, Phase
from protocol.types import Effect, Failed, FailureKind, Outcome

ANNOUNCE_AFTER_S: Final = 0.005  # what is faster costs one report instead of two
PROGRESS_EVERY_S: Final = 0.5  # at most two lines a second and attempt, the newest wins


class LiveAttempt:
    """One attempt from its acceptance until its skill has really stopped."""

    __slots__ = (
        "armed", "caller", "canceller", "effect", "expires_at", "limit_at", "note", "offer",
        "phase", "progress", "quiet_until", "recorded", "say_at", "started_at", "stop",
    )  # fmt: skip

    def __init__(self, offer: Offer, effect: Effect, caller: Request, now: float) -> None:
        self.offer = offer
        self.effect = effect
        self.caller = caller
        self.canceller: Request | None = None
        self.phase = Phase.STARTED
        self.progress: float | None = None
        self.note = ""
        self.recorded = False
        self.started_at = now
        self.expires_at = now + offer.ttl_s
        self.limit_at = math.inf if offer.limit_s is None else now + offer.limit_s
        self.quiet_until = now + ANNOUNCE_AFTER_S
        self.say_at = math.inf
        self.armed = math.inf
        self.stop: Outcome | None = None
        """Why it was told to stop: its outcome, unless it succeeds all the same."""
        self.say_soon(now)

    def say_soon(self, now: float) -> None:
        """Have the state said to those who follow it, but not too often."""
        if self.caller.form is Form.STREAM:
            self.say_at = min(self.say_at, max(now, self.quiet_until))

    def said(self, now: float) -> None:
        """Note that the state was said."""
        self.say_at, self.quiet_until = math.inf, now + PROGRESS_EVERY_S

    def deadline(self) -> float:
        """Return when there is something to do for it; infinity for never."""
        if self.stop is not None:
            return self.say_at
        lapse = self.expires_at if self.effect is Effect.ONCE else math.inf
        return min(self.say_at, self.limit_at, lapse)

    def overdue(self, now: float) -> Outcome | None:
        """Say why it must stop now, if it must."""
        if self.effect is Effect.ONCE and now >= self.expires_at:
            return cut_off(self.effect, "its lease lapsed while it ran")
        if now >= self.limit_at:
            limit = f"it was stopped at its limit of {self.offer.limit_s:g} s"
            return Failed(FailureKind.TIMEOUT, limit)
        return None

    def row(self, outcome: Outcome | None = None, run_s: float | None = None) -> AttemptRow:
        """Return what the ledger shall say of it."""
        offer = self.offer
        return AttemptRow(
            offer.attempt, offer.run, offer.epoch, offer.token, self.effect, outcome, run_s,
            closed=not offer.token,
        )  # fmt: skip
