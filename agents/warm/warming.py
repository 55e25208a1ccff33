"""Attempts that need something warm: they wait until all of it is, and say what came of it.

Pure, like `session`. An attempt that waits is live and ACCEPTED: it fills a slot, holds its lease,
and has not started; what it was told is in the ledger as a refusal, should the agent crash. A load
that fails ends the attempts that wait for it, and no others.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from agents.actions import Action
from agents.alarms import Alarms
from agents.attempt import LiveAttempt
from agents.warm.leases import Speaker
from agents.warm.pool import Pool
from protocol.codec import Request
from protocol.messages import Offer, Renew
from protocol.types import (
    AttemptId,
    Effect,
    Failed,
    FailureKind,
    Outcome,
    Rejected,
    Resource,
    RunId,
    WarmResource,
)

TOLD_KEPT: Final = 4096  # as many as there may be results; older repeats name nothing warm


class Attempts(Protocol):
    """What the session does with its attempts."""

    def ready(self, attempt: AttemptId) -> list[Action]:
        """Let one start that waited for what it needs."""

    def finished(self, attempt: AttemptId, outcome: Outcome, now: float) -> list[Action]:
        """Take the end of one."""


class Warming:
    """The pool, as far as attempts have to do with it."""

    def __init__(
        self,
        pool: Pool,
        attempts: Attempts,
        live: Mapping[AttemptId, LiveAttempt],
        alarms: Alarms[AttemptId, LiveAttempt],
    ) -> None:
        self.pool = pool
        self._attempts = attempts
        self._live = live
        self._alarms = alarms
        self.told: dict[AttemptId, tuple[Resource, ...]] = {}
        """What attempts that are over needed, for as long as their ends may be said again."""

    def refusal(self, offer: Offer, now: float) -> Rejected | None:
        """Say why an attempt cannot have what it needs, if so."""
        why = self.pool.lacks(offer.pins, now)
        return Rejected(why) if why else None

    def begin(self, live: LiveAttempt, by: Request, now: float, out: list[Action]) -> bool:
        """Have what an attempt needs loaded; return whether all of it is warm already."""
        offer = live.offer
        needs = {pin.resource: pin for pin in offer.pins}
        speaker = Speaker(by.reply_to, {offer.run: offer.epoch})
        self.pool.use(offer.attempt, tuple(needs.values()), speaker, now, out)
        return self._is_ready(live, now)

    def end(self, live: LiveAttempt, now: float) -> list[Action]:
        """Take it that an attempt is over, and uses nothing any more."""
        out: list[Action] = []
        attempt = live.offer.attempt
        self.told[attempt] = self.pool.done(attempt, now, out)
        if len(self.told) > TOLD_KEPT:
            del self.told[next(iter(self.told))]
        return out

    def warm_of(self, attempt: AttemptId) -> tuple[WarmResource, ...]:
        """Return what an attempt that is over needed, as far as it is warm now."""
        return self.pool.warm_of(self.told.get(attempt, ()), attempt)

    def renew(
        self, renew: Renew, by: Request, runs: Mapping[RunId, object], now: float
    ) -> list[Action]:
        """Change leases; `runs` has what the one who asks still speaks for."""
        out: list[Action] = []
        speaker = Speaker(
            by.reply_to, {run: epoch for run, epoch in renew.epochs.items() if runs.get(run)}
        )
        for pin in renew.pins:
            self.pool.grant(pin, speaker, now, out)
        return out

    def loaded(self, resource: Resource, amount: float | None, now: float) -> list[Action]:
        """Take it that a load is done; `amount` is what it takes up, if that is known."""
        out: list[Action] = []
        waited, unfit = self.pool.loaded(resource, amount, now, out)
        if unfit:
            return out + self._fail(waited, resource, unfit, now)
        for attempt in waited:
            live = self._live[attempt]
            if live.loading and self._is_ready(live, now):
                out += self._attempts.ready(attempt)
        return out

    def failed(self, resource: Resource, failure: Failed, now: float) -> list[Action]:
        """Take it that a load came to nothing."""
        out: list[Action] = []
        waited = self.pool.failed(resource, now, out)
        return out + self._fail(waited, resource, failure, now)

    def died(self, resource: Resource, why: str, now: float) -> list[Action]:
        """Take it that something warm is of no more use; a skill that uses it finds out itself."""
        out: list[Action] = []
        users = self.pool.died(resource, now, out)
        failure = Failed(FailureKind.TRANSIENT, f"it died: {why}")
        return out + self._fail(users, resource, failure, now)

    def evicted(self, resource: Resource, now: float) -> list[Action]:
        """Take it that something has left."""
        out: list[Action] = []
        self.pool.evicted(resource, now, out)
        return out

    def _is_ready(self, live: LiveAttempt, now: float) -> bool:
        missing = self.pool.missing(live.offer.attempt)
        if missing:
            live.load(f"loading {_names(missing)}", now)
            self._alarms.arm(live.offer.attempt, live)
        return not missing

    def _fail(
        self, attempts: tuple[AttemptId, ...], resource: Resource, failure: Failed, now: float
    ) -> list[Action]:
        out: list[Action] = []
        detail = f"loading {_names([resource])}: {failure.detail}"
        for attempt in attempts:
            live = self._live.get(attempt)
            if live is None or not live.loading:
                continue
            outcome: Outcome = Failed(failure.kind, detail, failure.retry_after_s)
            if live.effect is Effect.ONCE and failure.kind is FailureKind.TRANSIENT:
                # A failed `once` attempt is not tried again; this one has not begun.
                outcome = Rejected(detail)
            out += self._attempts.finished(attempt, outcome, now)
        return out


def _names(resources: list[Resource]) -> str:
    return " and ".join(f"{each.kind} {each.key}" for each in resources)
