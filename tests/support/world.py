"""A fleet, a planner and a clock, as far as the engine sees them: tests tell it what happens.

Every event is decided by one engine and its facts are folded into a second one. After each step
the invariants are checked, and both states are compared but for what is volatile (I11).
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from math import inf

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.engine import Decision, Engine
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.lifecycle import FINAL, LIVE
from orchestrator.core.model import DEFAULT_RUN_LIMITS, Dependency, Now, On, RunLimits, TaskSpec
from orchestrator.core.retention.warmth import Warmth
from orchestrator.core.rows import RowKey, freeze, touched
from orchestrator.core.saved import Saved
from orchestrator.core.scheduling.policies import DEFAULT, Policy
from orchestrator.core.state import State
from orchestrator.core.tuning import Tuning
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    DeviceId,
    Effect,
    Failed,
    Incarnation,
    Load,
    Outcome,
    Rejected,
    RunId,
    SkillInfo,
    Succeeded,
    TaskId,
)
from tests.support.warm import Pools

RUN = RunId("run")
BEAT_S = 2.0
NOT_COMPARED = {"load", "seen_at", "ticket", "demand", "outgoing"} | {
    *("keeping", "charged", "outlook", "queued"),  # what is known of warm resources
}
UNCHANGING = {TaskSpec, Dependency, f.RunSubmitted}  # compared as they are


def task(name: str, skill: str = "work", **rest) -> TaskSpec:
    return TaskSpec(TaskId(name), skill, **rest)


def edge(predecessor: str, successor: str, on: On = On.SUCCESS, when=None) -> Dependency:
    return Dependency(TaskId(predecessor), TaskId(successor), on, when)


def plan(*parts: TaskSpec | Dependency | Edit, base: int = 0, reads=()) -> EditBatch:
    """Tasks and dependencies stand for adding them."""
    edits = tuple(
        AddTask(part)
        if isinstance(part, TaskSpec)
        else AddDependency(part)
        if isinstance(part, Dependency)
        else part
        for part in parts
    )
    return EditBatch(base, edits, reads)


def card(name: str, *skills: str, effect: Effect = Effect.IDEMPOTENT, **rest) -> DeviceCard:
    offered = tuple(SkillInfo(skill, effect=effect) for skill in skills or ("work",))
    return DeviceCard(DeviceId(name), skills=offered, **rest)


def plain(value: object) -> object:
    """Return a value as nested tuples that compare and print the same under any hash seed."""
    kind = type(value)
    if kind in UNCHANGING or (names := compared(kind)) is None:
        return value
    if names:
        return (kind.__name__, *[plain(getattr(value, name)) for name in names])
    if isinstance(value, Mapping):
        return tuple((plain(key), plain(item)) for key, item in value.items())
    if isinstance(value, frozenset):
        return tuple(sorted(map(str, value)))
    return tuple(map(plain, value))


@cache
def compared(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a dataclass, nothing for a collection, and None for anything else."""
    if is_dataclass(kind):
        return tuple(each.name for each in fields(kind) if each.name not in NOT_COMPARED)
    return () if issubclass(kind, Mapping | frozenset | list | tuple) else None


def digest(state: State) -> tuple[object, ...]:
    """What a restart keeps: everything but loads, heartbeats and when reminders are due.

    (Reminders of devices and runs may come once more after a restart, and change nothing then.)
    """
    return (
        plain(state.runs),
        plain(state.keys),
        plain(state.devices),
        sorted(state.attempts),
        [t.demand is not None for run in state.runs.values() for t in run.tasks.values()],
        sorted(key for key in state.timers.pending() if key[0] in {"task", "ask", "hedge"}),
        (state.token, state.arrivals),
        warmth(state.warmth),
        {name: dict(state.warmth.loads.utility(name)) for name in state.devices},
    )


def warmth(warmth: Warmth) -> tuple[object, ...]:
    """What is known of warm resources, in an order that a restart does not change."""
    learned = [(key, warmth.histories.known(key)) for key in warmth.histories]
    ran = [
        (device, skill, gaps.samples())
        for device, skills in warmth.durations.items()
        for skill, gaps in skills.items()
    ]
    return (
        sorted(str((name, sorted(where))) for name, where in warmth.at.items()),
        sorted(str((name, sorted(gaps.items()))) for name, gaps in warmth.gaps.items()),
        sorted(str(each) for each in (*learned, *ran, *warmth.reuse.items())),
    )


class World:
    """One coordinator and its surroundings."""

    def __init__(
        self,
        *,
        tuning: Tuning | None = None,
        policy: Policy = DEFAULT,
        checked: bool = True,
    ) -> None:
        """Without `checked` it only tells and listens: for large worlds."""
        self._checked = checked
        self.tuning = tuning or Tuning()
        self.policy = policy
        self.engine = self._new()
        self.fold = self._new()
        self.pools = Pools()
        self.at = 0.0
        self.wall = 1_000_000.0
        self.facts: list[f.Fact] = []
        self.orders: list[c.Command] = []
        self.offers: dict[AttemptId, c.Offer] = {}
        self.alive: dict[DeviceId, Incarnation] = {}
        """Devices that send heartbeats while time passes."""
        self._journal: list[f.Fact] = []
        self._rows: dict[RowKey, Saved] = {}
        self._once: dict[object, AttemptId] = {}
        self._epochs: dict[RunId, int] = {}

    def _new(self) -> Engine:
        return Engine(tuning=self.tuning, policy=self.policy)

    # Telling

    def tell(self, event: e.Event) -> Decision:
        """Let the engine decide, and hold it to its invariants."""
        before = self.engine.state.token
        final = self._final() if self._checked else {}
        try:
            decision = self.engine.decide(event, now=Now(self.wall + self.at, self.at))
        except (RequestError, UnknownRunError):
            self._compare()
            raise
        self.facts += decision.facts
        self.orders += decision.commands
        for order in decision.commands:
            self.pools.heard(order)
            self._rising(order, before)
            self._fenced(order)
        if self._checked:
            self._hold(decision)
            kept = self.engine.state.runs.keys()
            final = {key: end for key, end in final.items() if {key, *key} & kept}
            assert final.items() <= self._final().items(), "I6"
        return decision

    def retell(self, event: e.Event) -> None:
        """Tell something again, and see that it changes nothing (I12)."""
        before = digest(self.engine.state)
        again = self.tell(event)
        assert [fact for fact in again.facts if type(fact) not in f.VOLATILE] == [], "I12"
        assert digest(self.engine.state) == before, "I12"

    def restart(
        self, *, away_s: float = 0.0, elapsed: float | None = None, rows: bool = False
    ) -> Decision:
        """Die and start again from the journal or its saved rows; elapsed may start anew."""
        last = (self.wall + self.at, self.at) if self._journal else (None, None)
        self.wall += self.at + away_s
        self.at = self.at + away_s if elapsed is None else elapsed
        self.wall -= self.at
        self.engine = self._new()
        if rows:
            self.engine.restore(replace(row) for row in self._rows.values())
        else:
            for fact in self._journal:
                self.engine.apply(fact)
            self.engine.recovered()
        self._compare()
        return self.tell(e.Start(*last))

    # The fleet

    def device(self, name: str, *skills: str, life: str = "1", **rest) -> DeviceId:
        """Let a device join and send its first heartbeat."""
        self.tell(e.Announced(card(name, *skills, **rest), online=True))
        self.beat(name, life=life, connected=True)
        return DeviceId(name)

    def beat(self, name: str, *, life: str = "1", load: Load | None = None, connected=False):
        device = DeviceId(name)
        self.alive[device] = Incarnation(life)
        held = self.held(name)
        load = replace(load or Load(), warm=self.pools.warm(device))
        return self.tell(e.Beat(device, Incarnation(life), load, tuple(held), connected=connected))

    def wiped(self, name: str, *, life: str = "2") -> None:
        """Bring a device back without its ledger: its heartbeat is heard, and its hello counts."""
        self.pools.lost(name)
        self.beat(name, life=life)
        self.hello(name, {}, life=life)

    def silence(self, name: str) -> None:
        del self.alive[DeviceId(name)]

    def held(self, name: str) -> dict[AttemptId, bool]:
        row = self.engine.state.devices.get(DeviceId(name))
        if row is None:
            return {}
        return {a.id: a.started_at is not None for a in row.attempts.values() if a.state in LIVE}

    def hello(
        self,
        name: str,
        held: Mapping[AttemptId, bool] | None = None,
        *,
        life: str = "1",
        asked_at: float = inf,
    ):
        holds = self.held(name) if held is None else held
        warm = self.pools.warm(DeviceId(name))
        return self.tell(e.Reconciled(DeviceId(name), Incarnation(life), holds, asked_at, warm))

    def accept(self, name: str) -> AttemptId:
        return self._report(name, started=False)

    def start(self, name: str) -> AttemptId:
        return self._report(name, started=True)

    def finish(
        self, name: str, outcome: Outcome | None = None, *, run_s: float | None = 1.0
    ) -> AttemptId:
        """End the attempt of a task; without an outcome it succeeds."""
        offer = self.offer(name)
        self.end(offer.attempt, outcome or Succeeded(None), run_s=run_s)
        return offer.attempt

    def end(self, attempt: AttemptId, outcome: Outcome, *, run_s: float | None = 1.0) -> Decision:
        offer = self.offers[attempt]
        warm = self.pools.ended(offer, ran=isinstance(outcome, Succeeded | Failed))
        return self.tell(
            e.AttemptFinished(offer.device, attempt, outcome, run_s, offer.run, warm=warm)
        )

    def do(self, *names: str) -> None:
        """Let tasks succeed, one after the other."""
        for name in names:
            self.finish(name)

    def ask(self, name: str, question: str = "which?") -> Decision:
        offer = self.offer(name)
        return self.tell(e.AttemptAsked(offer.device, offer.attempt, question))

    def _report(self, name: str, *, started: bool) -> AttemptId:
        offer = self.offer(name)
        self.tell(e.AttemptReported(offer.device, offer.attempt, started))
        return offer.attempt

    # Requests

    def submit(self, *parts, run: RunId = RUN, limits: RunLimits | None = None, **rest):
        """Submit a plan; without `limits` the planner is never asked."""
        bounds = limits or RunLimits(revisions=0)
        batch = plan(*parts) if parts else None
        return self.tell(e.Submit(run, f"key-{run}", "do", limits=bounds, plan=batch, **rest))

    def request(self, *, run: RunId = RUN, limits: RunLimits = DEFAULT_RUN_LIMITS):
        """Submit a request that has to be planned."""
        return self.submit(run=run, limits=limits)

    def edit(self, *parts, base: int | None = None, run: RunId = RUN, reads=()) -> Decision:
        revision = self.engine.state.runs[run].revision if base is None else base
        return self.tell(
            e.EditRequested(run, "somebody", plan(*parts, base=revision, reads=reads))
        )

    # Time

    def wait(self, seconds: float) -> None:
        """Let time pass: every deadline is met, and living devices send heartbeats."""
        end = self.at + seconds
        beat_at = self.at + BEAT_S
        while True:
            due = self.engine.next_deadline()
            if due is not None and due <= min(end, beat_at):
                self.at = max(self.at, due)
                self.tell(e.TimePassed())
            elif beat_at <= end:
                self.at, beat_at = beat_at, beat_at + BEAT_S
                for device, life in list(self.alive.items()):
                    self.beat(device, life=life)
            else:
                self.at = end
                return

    # Seeing

    def row(self, name: str, run: RunId = RUN):
        return self.engine.state.runs[run].tasks[TaskId(name)]

    def state(self, name: str, run: RunId = RUN):
        return self.row(name, run).state

    def states(self, run: RunId = RUN) -> dict[str, str]:
        return {name: row.state.value for name, row in self.engine.state.runs[run].tasks.items()}

    def run(self, run: RunId = RUN):
        return self.engine.state.runs[run]

    def offer(self, name: str) -> c.Offer:
        """The latest offer of a task."""
        return self.ordered(c.Offer, task=name)[-1]

    def where(self, name: str) -> str:
        """The device that a task was last offered to."""
        return self.offer(name).device

    def ordered(self, kind: type, **wanted) -> list:
        return _matching(self.orders, kind, wanted)

    def happened(self, kind: type, **wanted) -> list:
        return _matching(self.facts, kind, wanted)

    def settle(self) -> None:
        """Let every device do what it is told and every person be away, until all runs ended."""
        for _ in range(2000):
            if all(run.ended_at is not None for run in self.engine.state.runs.values()):
                return
            attempts = self.engine.state.attempts.values()
            attempt = next((a for a in attempts if a.device in self.alive), None)
            if attempt is not None:
                self.end(attempt.id, self._obedient(attempt.id))
                continue
            due = self.engine.next_deadline()
            assert due is not None, f"I10: {self.engine.state.runs}"
            self.at = max(self.at, due)
            for device, life in list(self.alive.items()):
                self.beat(device, life=life)
            self.tell(e.TimePassed())
        raise AssertionError(f"I10: {[self.states(run) for run in self.engine.state.runs]}")

    def _obedient(self, name: AttemptId) -> Outcome:
        attempt = self.engine.state.attempts[name]
        if attempt.state in LIVE:
            return Succeeded([1, 2])
        return Cancelled() if attempt.started_at is not None else Rejected("never started")

    # Holding

    def _hold(self, decision: Decision) -> None:
        dirty: dict[RowKey, None] = {}
        for fact in decision.facts:
            if type(fact) not in f.VOLATILE:
                self._journal.append(fact)
                self.fold.apply(fact)
                dirty |= dict.fromkeys(touched(fact, self.engine.state))
            self._placed_well(fact)
        self.fold.recovered()
        self._save(dirty)
        self.engine.check()
        self._compare()

    def _compare(self) -> None:
        for here, folded in zip(digest(self.engine.state), digest(self.fold.state), strict=True):
            assert here == folded, "I11"

    def _final(self) -> dict[object, str]:
        tasks = {
            (run.id, name, row.sequence): row.state
            for run in self.engine.state.runs.values()
            for name, row in run.tasks.items()
            if row.state in FINAL and row.parent is None
        }
        runs = {
            run.id: run.status
            for run in self.engine.state.runs.values()
            if run.ended_at is not None
        }
        return {**tasks, **runs}

    def _rising(self, order: c.Command, before: int) -> None:
        if isinstance(order, c.Offer):
            if order.attempt not in self.offers:
                assert order.token > before, "I9"
                self.offers[order.attempt] = order
            assert order.token == self.offers[order.attempt].token, "I9"
            assert order.epoch >= self._epochs.get(order.run, 0), "I9"
            self._epochs[order.run] = order.epoch

    def _fenced(self, order: c.Command) -> None:
        """Nothing is said of a run that another coordinator owns, attempt by attempt."""
        named = [getattr(order, "attempt", None), *getattr(order, "attempts", ())]
        told = {self.offers[name].run for name in named if name in self.offers}
        told |= {getattr(order, "run", None), *getattr(order, "epochs", ())}
        lost = {run.id for run in self.engine.state.runs.values() if run.superseded}
        assert not told & lost, f"{order} speaks for a run of another coordinator"

    def _save(self, dirty: Iterable[RowKey]) -> None:
        for key in dirty:
            row = freeze(self.engine.state, key)
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = replace(row)

    def _placed_well(self, fact: f.Fact) -> None:
        """I5, and I13: `once` is offered again only after a word that it never started."""
        match fact:
            case f.TaskPlaced(run, name, device=on):
                device = self.engine.state.devices[on]
                assert len(device.attempts) <= device.card.slots, "I5"
                for need in self.row(name, run).spec.needs.resources:
                    charged = device.warm.charged[need.kind]
                    assert charged <= device.card.capacity[need.kind] + 1e-9, "I5"
        match fact:
            case f.TaskPlaced(run, name, attempt, hedge=f.Hedge(beside)):
                assert fact.effect is not Effect.ONCE, "I4"
                live = (self.row(name, run).live, self.row(name, run).hedge)
                assert live in {(beside, attempt), (None, None)}, "I4"
        match fact:
            case f.TaskPlaced(run, name, attempt, effect=Effect.ONCE):
                row = self.engine.state.runs[run].tasks.get(name)
                version = (run, name, row.revision if row else None)
                assert version not in self._once, "I13"
                self._once[version] = attempt
            case f.AttemptRejected(attempt=attempt):
                self._once = {k: v for k, v in self._once.items() if v != attempt}


def _matching(values: Iterable[object], kind: type, wanted: Mapping[str, object]) -> list:
    return [
        value
        for value in values
        if isinstance(value, kind)
        and all(getattr(value, name) == item for name, item in wanted.items())
    ]
