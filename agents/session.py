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
slot is refused, and its coordinator places it anew. Only what it needs warm is waited for
(`warm.warming`): it has not started until then, and what ends it before refuses it.

What is announced is in the ledger first. A `once` attempt is recorded before its skill starts.
Others start at once; their first row is written when there is something to say: that it started,
`ANNOUNCE_AFTER_S` after it did, or, for what is faster, its end. What could not be recorded while
its lease lasted never begins, and says so. After a crash a row without an outcome is what is left
of a live attempt: its end is unknown (`once`) or lost with the device.

Where the skill of a `once` attempt can `reconcile`, it is asked before the end is called unknown
(after a crash, a lapse, a limit or the stop of the agent), and again when the coordinator queries
an unknown one. As long as the answer is open the attempt is live, and STARTED.

Leases and limits are half-open: live while `now < expires_at`. A lapsed `once` attempt is
cancelled, any other runs to its end. `limit_s` includes the time a question waits for its answer.

How old an offer is cannot be told here, as no clock is shared, and need not be. Its coordinator
either still waits for the answer; or has a tombstone written; or gave it up without one: then a
late start of what may be done twice is wasted work, which the next heartbeat names and so stops,
and of a `once` attempt the outcome that is awaited as unknown, as nobody tries it again.
"""

import math
from collections.abc import Callable, Collection, Iterable
from typing import Final, assert_never

from agents.actions import (
    Action,
    Beat,
    CancelSkill,
    DropArtifacts,
    FetchAhead,
    Row,
    Say,
    StartSkill,
)
from agents.admission import Admission, anyone
from agents.alarms import Alarms
from agents.announcing import Announcing
from agents.archive import Archive, phase_of
from agents.attempt import NOTHING, Fetched, LiveAttempt
from agents.checking import broken
from agents.questions import Questions
from agents.reconciling import LookUps
from agents.refusals import not_found
from agents.reports import Reports
from agents.warm.pool import Pool
from agents.warm.warming import Warming
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
    Prefetch,
    Query,
    Refuse,
    Release,
    Renew,
)
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    Effect,
    Incarnation,
    Load,
    Outcome,
    Rejected,
    RunId,
)

HEARTBEAT_S: Final = 2.0  # three misses: lost within 7 s


class Session:
    """What one device holds, and the rules by which that changes.

    Args:
        card: the device's skills and slots.
        incarnation: the identity of its ledger.
        rows: what the ledger holds: runs before their attempts, oldest first.
        permits: whether the one who is answered at this topic may use this skill.
        reconciles: the skills that can find out what came of an attempt.
        pool: what can be kept warm, if anything.
    """

    def __init__(
        self,
        card: DeviceCard,
        incarnation: Incarnation,
        *,
        rows: Iterable[Row] = (),
        permits: Callable[[str, str], bool] = anyone,
        reconciles: Collection[str] = (),
        pool: Pool | None = None,
    ) -> None:
        self._card = card
        self._incarnation = incarnation
        self._admission = Admission(card, permits)
        self._reconciles = reconciles
        self._archive = Archive(rows, reconciles)
        self._live: dict[AttemptId, LiveAttempt] = {}
        self._look_ups = LookUps(self._live, self._archive, card.slots)
        self._alarms = Alarms(self._live)
        self._pool = Pool() if pool is None else pool
        self.warming = Warming(self._pool, self, self._live, self._alarms)
        """Takes what comes of loads and evictions."""
        self._reports = Reports(self._live, self._archive, incarnation, self.warming)
        self._questions = Questions(self._live, self._reports, self._alarms)
        self._announcing = Announcing()
        self._beat_at = math.inf
        self._suspended = False

    def resume(self) -> list[Action]:
        """Have skills look up what a crash left open; to be called first."""
        return self._look_ups.resume()

    def order(self, request: Request, now: float) -> list[Action]:
        """Take an order, which may be a repeat, late, or from a coordinator that lost the run."""
        out: list[Action] = []
        match request.order:
            case Offer() as offer:
                self._offer(offer, request, now, out)
            case Renew() as renew:
                self._renew(renew, request, now, out)
            case Query(attempt):
                out += self._look_ups.again(attempt)
                if not self._reports.present(attempt, request, out):
                    out.append(not_found(attempt, request))
            case Cancel() as cancel:
                self._cancel(cancel, request, now, out)
            case Answer() as answer:
                self._questions.answer(answer, request, now, out)
            case Hello() as hello:
                self._hello(hello, request, out)
            case Refuse() as refuse:
                self._refuse(refuse, request, out)
            case Drain() | Release() | Prefetch() as order:
                out += self._noted(order, request, now)
            case _:
                assert_never(request.order)
        return out

    def connected(self, now: float) -> list[Action]:
        """Begin to beat, with the card; coordinators are asked to say hello until one does."""
        self._announcing.connected()
        return [self._beat(now)]

    def disconnected(self) -> None:
        """Stop beating. All else goes on."""
        self._beat_at = math.inf

    def progress(self, attempt: AttemptId, share: float, note: str, now: float) -> None:
        """Note how far a live attempt is; `tick` says it."""
        live = self._live[attempt]
        live.progress, live.note = share, note
        live.say_soon(now)
        self._alarms.arm(live.offer.attempt, live)

    def asked(self, attempt: AttemptId, question: str) -> list[Action]:
        """Take a live attempt's question to a person."""
        return self._questions.ask(self._live[attempt], question)

    def ready(self, attempt: AttemptId) -> list[Action]:
        """Let a live attempt start that waited for what it needs."""
        live = self._live[attempt]
        rows = self._reports.recorded(live) if live.ready() else ()
        return [*rows, StartSkill(live.offer)]

    def begins(self, attempt: AttemptId, now: float) -> Outcome | None:
        """Let what was ordered for an attempt begin; if it may not any more, return its end."""
        live = self._live[attempt]
        if late := live.too_late(now):
            return late
        live.begin(now)
        self._alarms.arm(live.offer.attempt, live)
        return None

    def finished(
        self, attempt: AttemptId, outcome: Outcome, now: float, fetched: Fetched = NOTHING
    ) -> list[Action]:
        """Take the end of what ran for an attempt: it has really stopped."""
        live = self._live[attempt]
        outcome = live.verdict(outcome)
        if (instead := self._look_ups.instead(live, outcome)) is not None:
            return instead
        del self._live[attempt]
        row = live.row(outcome, live.run_s(now, fetched.waited_s))
        out: list[Action] = []
        self._archive.finish(row, out)
        left = self.warming.end(live, now) if live.offer.pins else []
        out.append(self._reports.final(row, self._reports.follower(live), fetched))
        if live.canceller is not None:
            out.append(self._reports.final(row, live.canceller))
        return out + left

    def suspend(self, *, on: bool, now: float) -> list[Action]:
        """Note that the ledger cannot be written, or can again; then ask for a hello."""
        self._suspended = on
        return [self._beat(now, asks=not on)]

    def stop(self, now: float) -> list[Action]:
        """Cancel what is live, because the agent stops, take no more, and keep nothing warm."""
        self._admission.draining = self._look_ups.stopped = True
        out: list[Action] = []
        self._pool.drain(on=True, now=now, out=out)
        for live in list(self._live.values()):
            live.stop = live.stop or live.interrupted()
            out += self._halt(live, now)
        return out

    def next_deadline(self) -> float:
        """Return when `tick` has something to do next; infinity for never."""
        return min(self._alarms.next(), self._beat_at, self._pool.due_at)

    def tick(self, now: float) -> list[Action]:
        """Do what is due: announce starts, say progress, enforce limits and leases, beat."""
        out: list[Action] = []
        for live in self._alarms.due(now):
            if live.stop is None and (verdict := live.overdue(now)):
                live.stop = verdict
                out += self._halt(live, now)
            if now >= live.say_at and live.offer.attempt in self._live:
                live.said(now)
                out += self._reports.standing(live, self._reports.follower(live))
        self._pool.tick(now, out)
        if now >= min(self._beat_at, self._pool.news_at):
            out += self._due_beat(now)
        return out

    def lease_live(self, attempt: AttemptId, now: float) -> bool:
        """Tell whether a live attempt may have its next side effect."""
        live = self._live[attempt]
        return not live.reconciling and live.stop is None and now < live.expires_at

    def check(self) -> None:
        """Verify what must always hold; tests call it after every step.

        Raises:
            AssertionError: it does not, which is a bug here.
        """
        found = broken(self._live, self._archive, self._card.slots) + self._pool.broken()
        if found:
            raise AssertionError("; ".join(found))

    def _offer(self, offer: Offer, request: Request, now: float, out: list[Action]) -> None:
        if offer.incarnation not in {None, self._incarnation}:
            return  # meant for a ledger that is lost: what came of it here, nobody knows
        run = self._reports.speaks(offer.attempt, offer.run, offer.epoch, request, out)
        if run is None:
            return
        if self._reports.present(offer.attempt, request, out, follow=True):
            pass
        elif verdict := self._admission.refusal(
            offer, request.reply_to, self._archive, len(self._live)
        ) or (self.warming.refusal(offer, now) if offer.pins else None):
            self._reports.bury(offer, offer.token, verdict, request, out)
        else:
            effect = self._admission.effect(offer)
            live = self._live[offer.attempt] = LiveAttempt(
                offer, effect, request, now, reconciles=offer.skill in self._reconciles
            )
            run.held += 1
            if not offer.pins or self.warming.begin(live, request, now, out):
                if effect is Effect.ONCE:
                    out += self._reports.recorded(live)
                out.append(StartSkill(offer))
        self._archive.acknowledge(offer.acks, request, {offer.run: offer.epoch}, out)

    def _renew(self, renew: Renew, request: Request, now: float, out: list[Action]) -> None:
        archive, epochs = self._archive, renew.epochs
        seen = {run: archive.seen(run, epoch, request, out) for run, epoch in epochs.items()}
        archive.acknowledge(renew.acks, request, epochs, out)
        for attempt in renew.attempts:
            if live := self._live.get(attempt):
                if seen.get(live.offer.run):
                    live.renew(renew.ttl_s, now)
                    self._alarms.arm(live.offer.attempt, live)
                continue
            row = archive.find(attempt)
            if row and (run := seen.get(row.run)) and run.home:
                out.append(self._reports.final(row, run.home))  # it was lost on the way
        if renew.pins:
            out += self.warming.renew(renew, request, seen, now)

    def _cancel(self, cancel: Cancel, request: Request, now: float, out: list[Action]) -> None:
        live = self._live.get(cancel.attempt)
        run = live.offer.run if live else cancel.run  # a plain A2A client names no run
        if not self._reports.speaks(cancel.attempt, run, cancel.epoch, request, out):
            return
        if live:
            live.canceller = request
            if live.stop is None and not live.reconciling:
                live.stop = live.overdue(now) or Cancelled("it was told to stop")
                out += self._halt(live, now)
        elif not self._reports.present(cancel.attempt, request, out):
            self._reports.bury(
                cancel, 0, Cancelled("it was told to stop before it came"), request, out
            )

    def _refuse(self, refuse: Refuse, request: Request, out: list[Action]) -> None:
        for attempt, run in refuse.attempts.items():
            gone = Cancel(attempt, run, refuse.epochs.get(run, 0))
            if self._reports.speaks(
                attempt, run, gone.epoch, request, out
            ) and not self._reports.present(attempt, request, out, follow=True):
                verdict = Rejected("it was given up before it came")
                self._reports.bury(gone, 0, verdict, request, out)

    def _hello(self, hello: Hello, request: Request, out: list[Action]) -> None:
        self._announcing.known = True
        runs = set[RunId]()
        for name, epoch in hello.epochs.items():
            if self._archive.seen(name, epoch, request, out):
                runs.add(name)
        self._archive.acknowledge(hello.acks, request, hello.epochs, out)
        results = self._archive.owed(request, runs, named=hello.epochs)
        phases = {row.attempt: phase_of(row) for row in results}
        asking: list[Action] = []
        for attempt, live in self._live.items():
            if live.offer.run in runs:
                if self._archive.runs[live.offer.run].belongs(request):
                    live.caller = request
                phases[attempt] = live.phase
                out += self._reports.recorded(live)
                if live.phase is Phase.INPUT_REQUIRED:  # the question may have been lost
                    asking += self._reports.standing(live, request)
        out.append(Say(Held(self._card.device, self._incarnation, phases, self._load()), request))
        out += asking
        out += [self._reports.final(row, request) for row in results]

    def _halt(self, live: LiveAttempt, now: float) -> list[Action]:
        """Have an attempt end that was told to stop; one that waits to start ends at once."""
        attempt = live.offer.attempt
        if live.loading and live.stop:
            return self.finished(attempt, live.stop, now)
        return [CancelSkill(attempt)]

    def _noted(self, order: Drain | Release | Prefetch, by: Request, now: float) -> list[Action]:
        if isinstance(order, Release):
            return [DropArtifacts(order.runs)]
        if isinstance(order, Prefetch):
            heeded = self._admission.heeds(order, by.reply_to, self._archive)
            return [FetchAhead(order.run, order.references)] if heeded else []
        self._admission.draining = order.on
        out: list[Action] = []
        self._pool.drain(on=order.on, now=now, out=out)
        return [*out, self._beat(now)]

    def _load(self) -> Load:
        draining = self._admission.draining or self._suspended
        return Load(len(self._live), self._pool.used(), self._pool.warm(), draining)

    def _due_beat(self, now: float) -> list[Action]:
        if self._beat_at < math.inf:
            return [self._beat(now)]
        self._pool.told()  # there is nobody; who comes is told all
        return []

    def _beat(self, now: float, *, asks: bool = False) -> Beat:
        self._beat_at = now + HEARTBEAT_S
        self._pool.told()
        is_new = not self._announcing.known
        asks = asks or (is_new and not self._suspended)  # it hears no hello while suspended
        asks = self._archive.unheard(now) or asks
        card, alive, asking = self._card, tuple(self._live), self._questions.beat()
        said = Heartbeat(card.device, self._incarnation, self._load(), alive, asks, asking)
        return Beat(said, self._announcing.beat())
