"""A fleet, a planner and a clock, as far as the engine sees them: tests tell it what happens."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.engine import Decision
from orchestrator.core.lifecycle import LIVE
from orchestrator.core.model import DEFAULT_RUN_LIMITS, Dependency, On, RunLimits, TaskSpec
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
from tests.support.checked_engine import CheckedEngine

RUN = RunId("run")
BEAT_S = 2.0


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


class World(CheckedEngine):
    """One coordinator and its surroundings; see `CheckedEngine` for what it may be given."""

    def __init__(self, **how) -> None:
        super().__init__(**how)
        self.alive: dict[DeviceId, Incarnation] = {}
        """Devices that send heartbeats while time passes."""

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


def _matching(values: Iterable[object], kind: type, wanted: Mapping[str, object]) -> list:
    return [
        value
        for value in values
        if isinstance(value, kind)
        and all(getattr(value, name) == item for name, item in wanted.items())
    ]
