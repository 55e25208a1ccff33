"""What goes wrong, and when: schedules drawn from the seed, the task and the kind of fault.

A fault strikes when so many attempts have been started (on its victim, where it has one), so that
it meets a run at work on any machine: a share of those that a play in peace started, where one is
known, else the first. Who the victim is follows from the seed and `task.yaml` alone, so that the
oracle of possibility knows it without a run.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import PASSING, Control
from benchmarks.crossdevice.stage import BROKER, COORDINATOR, Stage
from benchmarks.crossdevice.task import Task
from benchmarks.crossdevice.trace import Trace
from orchestrator.service.documents import Event


class Kind(StrEnum):
    """What goes wrong; each is the name of a figure."""

    NONE = "none"
    TRANSIENT = "transient"
    """A tenth of all calls fail in passing."""
    DEVICE_LOST = "device_lost"
    """A device is killed and does not come back."""
    DEVICE_BACK = "device_back"
    """A device is killed, and is there again after some seconds."""
    SLOW = "slow"
    """A device is five times slower than it says."""
    PARTITION = "partition"
    """A device is off the network for some seconds, without a word."""
    BROKER = "broker"
    """The broker is killed, and is there again after a second or two."""
    COORDINATOR = "coordinator"
    """The same of the coordinator."""
    PLANNER30 = "planner30"
    """Every third answer of the planner or so has a mistake."""


TRANSIENT: Final = 0.1
SLOW: Final = 5.0
AWAY_S: Final = (1.0, 3.0)
CUT_S: Final = (2.0, 9.0)  # around the 7 s after which a device is lost
CENTRAL_S: Final = (0.5, 2.0)
WRONG: Final = 0.3
ON_A_DEVICE: Final = frozenset({Kind.DEVICE_LOST, Kind.DEVICE_BACK, Kind.SLOW, Kind.PARTITION})
LATEST: Final = 0.7  # of the starts: later there is little left to disturb


@dataclass(frozen=True, slots=True)
class Plan:
    """One fault to come.

    Attributes:
        victim: the device that it hits; empty where it hits none.
        share: of the starts in peace, after which it strikes.
        away_s: how long it lasts.
    """

    kind: Kind
    seed: int
    victim: str = ""
    share: float = 0.0
    away_s: float = 0.0


def draw(kind: Kind, task: Task, *, seed: int) -> Plan:
    """Draw what happens to a task."""
    chance = random.Random(f"{seed}/{task.name}/{kind}")
    victim = chance.choice(task.file.devices) if kind in ON_A_DEVICE else ""
    lasts = {Kind.DEVICE_BACK: AWAY_S, Kind.PARTITION: CUT_S}.get(kind, CENTRAL_S)
    return Plan(kind, seed, victim, chance.uniform(0.0, LATEST), chance.uniform(*lasts))


class Fate:
    """A fault while a task is played; `struck_at` is when it struck, in the stage's time.

    Args:
        plan: what is to come.
        task: what is played.
        peace: device → attempts started there when nothing went wrong; empty if nobody knows.
    """

    def __init__(self, plan: Plan, task: Task, peace: Mapping[str, int]) -> None:
        self.plan = plan
        self.struck_at: float | None = None
        self._victim = plan.victim if peace.get(plan.victim, not peace) else ""
        starts = peace.get(self._victim, sum(peace.values()))
        self._first = 1 + int(plan.share * starts)
        self.battery = task.file.battery
        self._luck = random.Random(f"{plan.seed}/{task.name}/luck").getrandbits(32)
        self._placed: dict[str, str] = {}
        self._starts = 0

    def controls(self) -> Mapping[str, Control]:
        """Return how the hardware is from the beginning."""
        usual = Control(battery=self.battery)
        if self.plan.kind is Kind.TRANSIENT:
            faulty = replace(usual, transient=TRANSIENT, seed=self._luck)
            return dict.fromkeys(FLEET, faulty)
        if self.plan.kind is Kind.SLOW:
            return {self.plan.victim: replace(usual, slow=SLOW)}
        return {}

    async def seen(self, event: Event, stage: Stage) -> None:
        """Strike, if it is time."""
        if event["fact"] == "TaskPlaced":
            self._placed[str(event["data"]["attempt"])] = str(event["data"]["device"])
        if event["fact"] != "AttemptStarted" or self.struck_at is not None:
            return
        device = self._placed.get(str(event["data"]["attempt"]), "")
        self._starts += self._victim in ("", device)
        if self._starts >= self._first and (strike := STRIKES.get(self.plan.kind)):
            self.struck_at = stage.wall()
            await strike(self.plan, stage)

    def met(self, trace: Trace, *, mistakes: int) -> bool:
        """Tell whether the run felt it; else the play says nothing of this fault.

        A device that is killed, cut off or slow was at work then; all that strikes did so before
        the run was over.

        Args:
            trace: the run.
            mistakes: answers of the planner that had one.
        """
        match self.plan.kind:
            case Kind.NONE:
                return False
            case Kind.TRANSIENT:
                return any(PASSING in span.detail for span in trace.spans)
            case Kind.SLOW:
                return any(span.device == self.plan.victim for span in trace.spans)
            case Kind.PLANNER30:
                return mistakes > 0
            case _:
                at_work = self._victim == self.plan.victim
                return at_work and self.struck_at is not None and self.struck_at < trace.end


async def _kill_device(plan: Plan, stage: Stage) -> None:
    await stage.kill(plan.victim, away_s=None if plan.kind is Kind.DEVICE_LOST else plan.away_s)


async def _cut(plan: Plan, stage: Stage) -> None:
    await stage.cut(plan.victim, for_s=plan.away_s)


async def _kill_broker(plan: Plan, stage: Stage) -> None:
    await stage.kill(BROKER, away_s=plan.away_s)


async def _kill_coordinator(plan: Plan, stage: Stage) -> None:
    await stage.kill(COORDINATOR, away_s=plan.away_s)


STRIKES: Final[Mapping[Kind, Callable[[Plan, Stage], Awaitable[None]]]] = {
    Kind.DEVICE_LOST: _kill_device,
    Kind.DEVICE_BACK: _kill_device,
    Kind.PARTITION: _cut,
    Kind.BROKER: _kill_broker,
    Kind.COORDINATOR: _kill_coordinator,
}


def possible(task: Task, plan: Plan) -> bool:
    """Tell whether success is possible at all: the oracle, which knows no run.

    All faults but one pass: what a device holds is there again, so a plan can wait for it. Only a
    device that is gone for good takes with it what nobody else has (`needs` of `task.yaml`).
    """
    if plan.kind is not Kind.DEVICE_LOST:
        return True
    return all(_left(line, plan.victim) for line in task.file.needs)


def _left(line: Iterable[str], victim: str) -> bool:
    return any(device != victim for device in line)
