"""What a device holds: the pure state machine behind an agent.

Orders, the ends of skills and the clock go in; an ordered list of actions comes out (`actions`).
No I/O, no clock, no chance: `now` is the device's elapsed time in seconds.

An attempt is in one of three places, and moves only to the right:

```
offer ─┬─► live ──────────────► result ──ack──► closed
       │   STARTED ⇄ INPUT_REQUIRED               ▲
       └── refused: a tombstone ──────────────────┘
```

A **live** attempt fills a slot from its acceptance until its skill has really stopped. What is
over is in the `archive`, and said again whenever asked for. There is no queue: what finds no free
slot is refused, and its coordinator places it anew.

What is announced is in the ledger first. A `once` attempt is recorded before its skill starts.
Others start at once; their first row is written when there is something to say: that it started,
`ANNOUNCE_AFTER_S` after it did, or, for what is faster, its end. After a crash a row without an
outcome is what is left of a live attempt: its end is unknown (`once`) or lost with the device.

Leases and limits are half-open: live while `now < expires_at`. A lapsed `once` attempt is
cancelled, any other runs to its end. `limit_s` includes the time a question waits for its answer.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, assert_never

from agents.actions import (
    Action,
    AttemptRow,
    Beat,
    CancelSkill,
    Resume,
    Row,
    Say,
    StartSkill,
)
from agents.admission import Admission
from agents.archive import CLOSED_KEPT, RESULTS_KEPT, Archive, Run, cut_off
from agents.attempt import LiveAttempt
from agents.refusals import not_found, stale
from protocol.codec import Request
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Heartbeat,
    Held,
    Hello,
    Offer,
    Phase,
    Query,
    Refuse,
    Renew,
    Report,
)
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    Outcome,
    Rejected,
    RunId,
    Succeeded,
)

HEARTBEAT_S: Final = 2.0  # three misses: lost within 7 s


def _anyone(_reply_to: str, _skill: str) -> bool:
    return True


class Session:
    """What one device holds, and the rules by which that changes.

    Args:
        card: the device's skills and slots.
        incarnation: the identity of its ledger.
        rows: what the ledger holds: runs before their attempts, oldest first.
        permits: whether the one who is answered at this topic may use this skill.
    """

    def __init__(
        self,
        card: DeviceCard,
        incarnation: Incarnation,
        *,
        rows: Iterable[Row] = (),
        permits: Callable[[str, str], bool] = _anyone,
    ) -> None:
        self._card = card
        self._incarnation = incarnation
        self._admission = Admission(card, permits)
        self._live: dict[AttemptId, LiveAttempt] = {}
        self._archive = Archive(rows)
        self._timers: list[tuple[float, AttemptId]] = []
        self._beat_at = math.inf
        self._suspended = False

    def order(self, request: Request, now: float) -> list[Action]:
        """Take an order, which may be a repeat, late, or from a coordinator that lost the run."""
        out: list[Action] = []
        match request.order:
            case Offer() as offer:
                self._offer(offer, request, now, out)
            case Renew() as renew:
                self._renew(renew, now, out)
            case Query(attempt):
                if not self._present(attempt, request, out):
                    out.append(not_found(attempt, request))
            case Cancel() as cancel:
                self._cancel(cancel, request, out)
            case Answer() as answer:
                self._answer(answer, request, now, out)
            case Hello() as hello:
                self._hello(hello, request, out)
            case Refuse() as refuse:
                self._refuse(refuse, request, out)
            case Drain(on):
                self._admission.draining = on
                out.append(self._beat(now))
            case _:
                assert_never(request.order)
        return out

    def connected(self, now: float) -> list[Action]:
        """Begin to beat; the first one asks coordinators to say hello."""
        return [self._beat(now, connected=True)]

    def disconnected(self) -> None:
        """Stop beating. All else goes on."""
        self._beat_at = math.inf

    def progress(self, attempt: AttemptId, share: float, note: str, now: float) -> None:
        """Note how far a live attempt is; `tick` says it."""
        live = self._live[attempt]
        live.progress, live.note = share, note
        live.say_soon(now)
        self._arm(live)

    def asked(self, attempt: AttemptId, question: str) -> list[Action]:
        """Take a live attempt's question to a person."""
        live = self._live[attempt]
        live.phase, live.note, live.say_at = Phase.INPUT_REQUIRED, question, math.inf
        return self._say(live, live.caller)

    def finished(self, attempt: AttemptId, outcome: Outcome, now: float) -> list[Action]:
        """Take the end of a live attempt: its skill has really stopped, its slot is free."""
        live = self._live.pop(attempt)
        if not isinstance(outcome, Succeeded):
            outcome = live.stop or outcome
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.LEASE_LOST:
            outcome = cut_off(live.effect, outcome.detail)
        row = live.row(outcome, now - live.started_at)
        out: list[Action] = []
        self._archive.finish(row, out)
        out.append(Say(self._final(row), live.caller))
        if live.canceller is not None:
            out.append(Say(self._final(row), live.canceller))
        return out

    def suspend(self, *, on: bool, now: float) -> list[Action]:
        """Note that the ledger cannot be written, or can again; then ask for a hello."""
        self._suspended = on
        return [self._beat(now, connected=not on)]

    def stop(self) -> list[Action]:
        """Cancel what is live, because the agent stops, and take no more."""
        self._admission.draining = True
        for live in self._live.values():
            live.stop = live.stop or cut_off(live.effect, "the agent was stopped while it ran")
        return [CancelSkill(attempt) for attempt in self._live]

    def next_deadline(self) -> float:
        """Return when `tick` has something to do next; infinity for never."""
        timers, live = self._timers, self._live
        while timers and timers[0][1] not in live:  # most attempts end before anything is due
            heapq.heappop(timers)
        return min(timers[0][0], self._beat_at) if timers else self._beat_at

    def tick(self, now: float) -> list[Action]:
        """Do what is due: announce starts, say progress, enforce limits and leases, beat."""
        out: list[Action] = []
        while self._timers and self._timers[0][0] <= now:
            due, attempt = heapq.heappop(self._timers)
            live = self._live.get(attempt)
            if live is None or live.armed != due:
                continue
            live.armed = math.inf
            if live.stop is None and (verdict := live.overdue(now)):
                live.stop = verdict
                out.append(CancelSkill(attempt))
            if now >= live.say_at:
                live.said(now)
                out += self._say(live, live.caller)
            self._arm(live)
        if now >= self._beat_at:
            out.append(self._beat(now))
        return out

    def lease_live(self, attempt: AttemptId, now: float) -> bool:
        """Tell whether a live attempt may have its next side effect."""
        live = self._live[attempt]
        return live.stop is None and now < live.expires_at

    def check(self) -> None:
        """Verify what must always hold; tests call it after every step.

        Raises:
            AssertionError: it does not, which is a bug here.
        """
        archive, slots = self._archive, self._card.slots
        places = [*self._live, *archive.results, *archive.closed]
        runs = Counter(live.offer.run for live in self._live.values())
        runs.update(row.run for row in archive.results.values())
        counted = {name: run.held for name, run in archive.runs.items() if run.held}
        unseen = [live for live in self._live.values() if live.deadline() < live.armed]
        wrong = {
            "an attempt is in two places": len(places) != len(set(places)),
            "more attempts run than there are slots": len(self._live) > slots,
            "results are not bounded": len(archive.results) >= RESULTS_KEPT + slots,
            "tombstones are not bounded": len(archive.closed) > CLOSED_KEPT,
            "a run with attempts could be forgotten": counted != runs,
            "a deadline would pass unseen": bool(unseen),
        }
        if found := [what for what, is_so in wrong.items() if is_so]:
            raise AssertionError("; ".join(found))

    def _offer(self, offer: Offer, request: Request, now: float, out: list[Action]) -> None:
        run = self._speaks(offer.attempt, offer.run, offer.epoch, request, out)
        if run is None:
            return
        run.home = request
        if self._present(offer.attempt, request, out, follow=True):
            pass
        elif verdict := self._admission.refusal(
            offer, request.reply_to, self._archive, len(self._live)
        ):
            self._bury(offer, offer.token, verdict, request, out)
        else:
            effect = self._admission.effect(offer)
            live = self._live[offer.attempt] = LiveAttempt(offer, effect, request, now)
            run.held += 1
            if effect is Effect.ONCE:
                out += self._recorded(live)
            out.append(StartSkill(offer))
            self._arm(live)
        self._archive.acknowledge(offer.acks, out)

    def _renew(self, renew: Renew, now: float, out: list[Action]) -> None:
        seen = {run: self._archive.seen(run, epoch, out) for run, epoch in renew.epochs.items()}
        self._archive.acknowledge(renew.acks, out)
        for attempt in renew.attempts:
            if live := self._live.get(attempt):
                if seen.get(live.offer.run) and now < live.expires_at:
                    live.expires_at = now + renew.ttl_s
                    self._arm(live)
                continue
            row = self._archive.find(attempt)
            if row and (run := seen.get(row.run)) and run.home:
                out.append(Say(self._final(row), run.home))  # it was lost on the way

    def _cancel(self, cancel: Cancel, request: Request, out: list[Action]) -> None:
        live = self._live.get(cancel.attempt)
        run = live.offer.run if live else cancel.run  # a plain A2A client names no run
        if not self._speaks(cancel.attempt, run, cancel.epoch, request, out):
            return
        if live:
            live.canceller = request
            if live.stop is None:
                live.stop = Cancelled("it was told to stop")
                out.append(CancelSkill(cancel.attempt))
        elif not self._present(cancel.attempt, request, out):
            self._bury(cancel, 0, Cancelled("it was told to stop before it came"), request, out)

    def _refuse(self, refuse: Refuse, request: Request, out: list[Action]) -> None:
        for attempt, run in refuse.attempts.items():
            gone = Cancel(attempt, run, refuse.epochs.get(run, 0))
            if self._speaks(attempt, run, gone.epoch, request, out) and not self._present(
                attempt, request, out, follow=True
            ):
                self._bury(gone, 0, Rejected("it was given up before it came"), request, out)

    def _answer(self, answer: Answer, request: Request, now: float, out: list[Action]) -> None:
        if not self._speaks(answer.attempt, answer.run, answer.epoch, request, out):
            return
        live = self._live.get(answer.attempt)
        if live is None or live.phase is not Phase.INPUT_REQUIRED:
            if not self._present(answer.attempt, request, out, follow=True):
                out.append(not_found(answer.attempt, request))
            return
        live.phase, live.note, live.caller = Phase.STARTED, "", request
        out.append(Resume(answer.attempt, answer.value))
        live.say_soon(now)
        self._arm(live)

    def _hello(self, hello: Hello, request: Request, out: list[Action]) -> None:
        runs = set[RunId]()
        for name, epoch in hello.epochs.items():
            if run := self._archive.seen(name, epoch, out):
                run.home = request
                runs.add(name)
        self._archive.acknowledge(hello.acks, out)
        results = self._archive.owed(request, runs, named=hello.epochs)
        phases = {row.attempt: Phase.FINISHED for row in results}
        asking: list[Action] = []
        for attempt, live in self._live.items():
            if live.offer.run in runs:
                live.caller = request
                phases[attempt] = live.phase
                out += self._recorded(live)
                if live.phase is Phase.INPUT_REQUIRED:
                    asking += self._say(live, request)  # the question may have been lost
        out.append(Say(Held(self._card.device, self._incarnation, phases, self._load()), request))
        out += asking
        out += [Say(self._final(row), request) for row in results]

    def _speaks(
        self, attempt: AttemptId, run: RunId, epoch: int, request: Request, out: list[Action]
    ) -> Run | None:
        """Return the run if this epoch still speaks for it, else say that it does not."""
        known = self._archive.seen(run, epoch, out)
        if known is None:
            out.append(stale(attempt, run, epoch, request))
        return known

    def _bury(
        self,
        of: Offer | Cancel,
        token: int,
        verdict: Outcome,
        request: Request,
        out: list[Action],
    ) -> None:
        """Answer for an attempt that never started, and now never can."""
        effect = of.effect if isinstance(of, Offer) else Effect.ONCE
        row = AttemptRow(of.attempt, of.run, of.epoch, token, effect, verdict, closed=True)
        self._archive.bury(row, out)
        out.append(Say(self._final(row), request))

    def _present(
        self, attempt: AttemptId, request: Request, out: list[Action], *, follow: bool = False
    ) -> bool:
        """Say how an attempt stands, if it is known; `follow`: what it comes to goes there too."""
        if live := self._live.get(attempt):
            live.caller = request if follow else live.caller
            out += self._say(live, request)
            return True
        if row := self._archive.find(attempt):
            out.append(Say(self._final(row), request))
        return row is not None

    def _say(self, live: LiveAttempt, to: Request) -> list[Action]:
        report = Report(
            live.offer.attempt, live.phase, live.offer.run, self._incarnation,
            progress=live.progress if live.phase is Phase.STARTED else None, note=live.note,
        )  # fmt: skip
        return [*self._recorded(live), Say(report, to)]

    def _final(self, row: AttemptRow) -> Report:
        return Report(
            row.attempt, Phase.FINISHED, row.run, self._incarnation, row.outcome, row.run_s
        )

    def _recorded(self, live: LiveAttempt) -> tuple[AttemptRow, ...]:
        """Return what must be in the ledger before the attempt is spoken of."""
        if live.recorded:
            return ()
        live.recorded = True
        return (live.row(),)

    def _load(self) -> Load:
        return Load(
            slots_used=len(self._live), draining=self._admission.draining or self._suspended
        )

    def _beat(self, now: float, *, connected: bool = False) -> Beat:
        self._beat_at = now + HEARTBEAT_S
        card, alive = self._card, tuple(self._live)
        asks = self._archive.unheard(now) or connected
        return Beat(Heartbeat(card.device, self._incarnation, self._load(), alive, asks))

    def _arm(self, live: LiveAttempt) -> None:
        """Make `tick` look at the attempt in time; a look that comes too early is harmless."""
        due = live.deadline()
        if due < live.armed:
            live.armed = due
            heapq.heappush(self._timers, (due, live.offer.attempt))
