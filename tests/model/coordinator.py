"""The coordinator of the model as code: an engine, and the journal that one of them may write.

Its time is told to it, with limits so far from each other that what one action needs to pass
(`miss`, `lapse`, `repeat`) brings nothing else with it.
"""

from collections.abc import Callable, Sequence

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.engine import Engine
from orchestrator.core.lifecycle import AttemptState, TaskState
from orchestrator.core.model import Limits, Now
from orchestrator.core.tuning import Tuning
from protocol.topics import Address
from protocol.types import (
    DeviceId,
)
from tests.model import words as m
from tests.model.device import LEASE_S, NAMES
from tests.support.world import RUN

FOREVER_S = 1e9
TUNING = Tuning(
    lost_after_s=1e3, lease_s=LEASE_S, repeat_offer_s=1e-3, backoff_s=1e-4, unmatched_s=FOREVER_S,
    hedge_budget=0.0,
)  # fmt: skip
LIMITS = Limits(FOREVER_S, FOREVER_S, FOREVER_S, FOREVER_S, FOREVER_S, attempts=99)
COORDINATOR = Address("acme", "lab", "coordinator")
TASKS = {
    TaskState.READY: m.Task.READY,
    TaskState.RECOVERING: m.Task.READY,
    TaskState.ACTIVE: m.Task.ACTIVE,
    TaskState.UNKNOWN: m.Task.UNKNOWN,
    TaskState.SUCCEEDED: m.Task.SUCCEEDED,
    TaskState.FAILED: m.Task.FAILED,
}
STAGES = {
    AttemptState.OFFERED: m.Stage.OFFERED,
    AttemptState.STARTED: m.Stage.STARTED,
    AttemptState.LAPSED: m.Stage.LAPSED,
}


class Coordinator:
    """An engine, which may write the journal unless a later one does."""

    def __init__(self, journal: list[f.Fact], clock: Callable[[], float]) -> None:
        self.engine = Engine(tuning=TUNING)
        self.journal = journal
        self.at = clock()
        self.clock = clock
        self.owns, self.dead = True, False
        self.orders: list[c.Command] = []
        for fact in journal:
            self.engine.apply(fact)
        self.engine.recovered()
        self.tell(e.Start(self.at, self.at) if journal else e.Start(None, None))

    def tell(self, event: e.Event) -> None:
        """Decide, commit, and order what follows; a commit that is refused is the end."""
        self.at += 1e-6  # so that a hello and what is learned next are at different times
        decision = self.engine.decide(event, now=Now(self.at, self.at))
        self.engine.check()
        facts = [fact for fact in decision.facts if type(fact) not in f.VOLATILE]
        if facts and not self.owns:
            self.dead = True
            return
        self.journal += facts
        self.orders += decision.commands

    def until(self, due: float) -> None:
        """Let time pass; devices that are here go on being heard."""
        while True:
            self._hear()
            timer = self.engine.next_deadline() or due
            soon = min(due, timer, self.at + TUNING.lost_after_s / 2)
            self.at = max(self.at, soon)
            self.tell(e.TimePassed())
            if self.at >= due:
                return

    def silence(self, device: DeviceId) -> None:
        """Let a device's next deadline pass: of its heartbeats, or else of its lease."""
        kind = "device" if self.engine.state.devices[device].online else "lease"
        due = self.engine.state.timers.get((kind, device))
        self.at = max(self.at, due - 1)
        self._hear(but=device)
        self.at = max(self.at, due)
        self.tell(e.TimePassed())

    def _hear(self, *, but: DeviceId | None = None) -> None:
        for name, device in self.engine.state.devices.items():
            if device.online and name != but:
                held = tuple(device.attempts)
                self.tell(e.Beat(name, device.incarnation, device.load, held, connected=False))

    def row(self):
        return self.engine.state.runs[RUN].tasks["t"]

    def seen(self, placed: Sequence[f.TaskPlaced]) -> m.View:
        """Return what the engine holds as the model would have it."""
        known = placed[: self.row().attempts]
        state = self.engine.state
        devices = [state.devices[name] for name in NAMES]
        return m.View(
            state.runs[RUN].epoch,
            TASKS[self.row().state],
            tuple(_attempt(each, state.attempts.get(each.attempt)) for each in known),
            tuple(device.online for device in devices),
            tuple(int(device.incarnation[-1]) for device in devices),
        )


def _attempt(placed: f.TaskPlaced, row) -> m.Attempt:
    device = NAMES.index(placed.device)
    if row is None:
        return m.Attempt(device, 0, m.Stage.ENDED)
    return m.Attempt(device, 0, STAGES[row.state], row.started_at is not None)
