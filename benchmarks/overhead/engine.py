"""The engine's CPU time per task, alone: no wire, no journal, no waiting.

What is driven is the engine as shipped: default limits and leases, every fact made, the garbage
collector as it is. The devices are simulated on a clock of their own. A task takes 0.2 s, ± half;
its device reports it started, then finished; it beats every 2 s, devices out of step with each
other, naming what it holds, and every such beat renews leases. Deadlines ring when they are due.

The cost is that of all decisions from the submission to the end of the run, divided by the tasks.
It includes the simulation (about 0.005 ms), so it is an upper bound.
"""

import gc
import heapq
import itertools
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.overhead.plans import SKILL, plan
from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.edits import EditBatch
from orchestrator.core.engine import Engine
from orchestrator.core.facts import RunStatus
from orchestrator.core.model import Now
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Load,
    RunId,
    SkillInfo,
    Succeeded,
)

SLOTS: Final = 4
TASK_S: Final = 0.2
HOP_S: Final = 0.001  # from an offer to the report that it started
BEAT_S: Final = 2.0  # the devices' cadence
_RUN: Final = RunId("run")
_LIFE: Final = Incarnation("1")
_SKILLS: Final = (SkillInfo(SKILL, effect=Effect.PURE),)

Happening: TypeAlias = c.Offer | e.AttemptFinished | DeviceId
"""An offer that arrives, a task that ends, or (its id) a device that is to beat."""


@dataclass(frozen=True, slots=True)
class Case:
    """One size to measure, and the family whose drift it belongs to."""

    family: str
    shape: str
    tasks: int
    devices: int

    @property
    def figure(self) -> str:
        """The name of its figure."""
        size = self.devices if self.family == "devices" else self.tasks
        return f"engine.{self.family}.{size}.cpu_ms"


CASES: Final = (
    *(
        Case(shape, shape, tasks, 10)
        for shape in ("independent", "chain", "layered")
        for tasks in (1_000, 10_000, 100_000)
    ),
    *(Case("devices", "independent", 10_000, devices) for devices in (10, 100, 1_000)),
)


def measure(options: Options) -> Iterator[Item]:
    """Measure every case: medians over rounds, small sizes more often in each.

    The sizes of a round take turns, so that a slow spell of the machine meets all of them.
    """
    rounds, share = (1, 5_000) if options.quick else (3, 20_000)
    cpu_ms: dict[Case, list[float]] = defaultdict(list)
    turns = [
        case for _ in range(rounds) for case in CASES for _ in range(max(1, share // case.tasks))
    ]
    cpu_ms_per_task(Case("", "layered", 1_000, 10), options.seed)  # warms up the interpreter
    for done, case in enumerate(turns):
        yield Progress(done / len(turns), f"engine: {case.tasks:,} tasks, {case.shape}")
        cpu_ms[case].append(cpu_ms_per_task(case, options.seed))
        yield Row({"part": "engine", "figure": case.figure, "cpu_ms": cpu_ms[case][-1]})
    medians = {case: statistics.median(samples) for case, samples in cpu_ms.items()}
    yield Figures({case.figure: value for case, value in medians.items()})
    yield Figures(drifts(medians))


def drifts(costs: dict[Case, float]) -> dict[str, float]:
    """Return how far each family gets from the cost of its smallest size, as a share of it."""
    families = defaultdict[str, list[float]](list)
    for case, cost in costs.items():
        families[case.family].append(cost)
    return {
        f"engine.{family}.drift": max(abs(cost - costs[0]) for cost in costs) / costs[0]
        for family, costs in families.items()
    }


def cpu_ms_per_task(case: Case, seed: int) -> float:
    """Drive an engine through one run and return what that cost."""
    fleet = _Fleet(case.devices, seed)
    batch = plan(case.shape, case.tasks)
    gc.collect()  # the last case's engine is not this one's cost
    began = time.process_time()
    fleet.run(batch)
    return (time.process_time() - began) * 1e3 / case.tasks


class _Fleet:
    """An engine and the simulated devices around it."""

    def __init__(self, devices: int, seed: int) -> None:
        self.engine = Engine()
        self._chance = random.Random(seed)
        self._agenda: list[tuple[float, int, Happening]] = []
        self._count = itertools.count()
        self._held: dict[DeviceId, dict[AttemptId, None]] = {}
        for number in range(devices):
            device = DeviceId(f"d{number}")
            self._held[device] = {}
            card = DeviceCard(device, skills=_SKILLS, slots=SLOTS)
            self._decide(e.Announced(card, online=True), 0.0)
            self._decide(e.Beat(device, _LIFE, Load(), (), connected=True), 0.0)
            self._plan(BEAT_S * (number + 1) / devices, device)

    def run(self, batch: EditBatch) -> None:
        """Submit a plan and go on until the run has succeeded."""
        self._decide(e.Submit(_RUN, "key", "nothing", plan=batch), 0.0)
        run = self.engine.state.runs[_RUN]
        while run.status is RunStatus.RUNNING:
            at, _, happening = heapq.heappop(self._agenda)
            while (due := self.engine.next_deadline()) is not None and due <= at:
                self._decide(e.TimePassed(), due)
            if isinstance(happening, c.Offer):
                self._begin(happening, at)
            elif isinstance(happening, e.AttemptFinished):
                del self._held[happening.device][happening.attempt]
                self._decide(happening, at)
            else:
                self._beat(happening, at)
        assert run.status is RunStatus.SUCCEEDED, run.reason

    def _begin(self, offer: c.Offer, at: float) -> None:
        device, attempt = offer.device, offer.attempt
        self._held[device][attempt] = None
        self._decide(e.AttemptReported(device, attempt, started=True), at)
        run_s = TASK_S * self._chance.uniform(0.5, 1.5)
        self._plan(at + run_s, e.AttemptFinished(device, attempt, Succeeded(None), run_s))

    def _beat(self, device: DeviceId, at: float) -> None:
        held = tuple(self._held[device])
        self._decide(e.Beat(device, _LIFE, Load(len(held)), held, connected=False), at)
        self._plan(at + BEAT_S, device)

    def _decide(self, event: e.Event, at: float) -> None:
        for command in self.engine.decide(event, now=Now(at, at)).commands:
            if isinstance(command, c.Offer):
                self._plan(at + HOP_S, command)

    def _plan(self, at: float, happening: Happening) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), happening))
