"""The state that facts fold into: rows of runs, tasks, attempts and devices, and their indices.

Only `apply` writes here. Rows are plain data; the indices (`board`, `timers`, successors, counts)
follow from them. Nothing here decides.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.change import Change
from orchestrator.core.estimates import Estimates
from orchestrator.core.facts import (
    Awaiting,
    PlanAdopted,
    PlanAsked,
    RunCancelRequested,
    RunJudged,
    RunStatus,
    RunSubmitted,
)
from orchestrator.core.lateness import Lateness
from orchestrator.core.lifecycle import FINAL, AttemptState, TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.retention.keeping import BY_INDEX, Keeping
from orchestrator.core.retention.needs import named
from orchestrator.core.retention.warm_set import WarmSet
from orchestrator.core.retention.warmth import Warmth
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Demand
from orchestrator.core.timers import Key, Timers
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Json,
    Load,
    Resource,
    ResourceNeed,
    RunId,
    SkillInfo,
    TaskId,
)

LOW_BATTERY = 0.15  # of a charge: what is left is for what has started, and for its owner
RELEASES = 64  # a device that misses more keeps what its own quota lets it


@dataclass(frozen=True, slots=True)
class Doubt:
    """The attempt whose outcome is unknown, and the only life of a device that can tell it."""

    attempt: AttemptId
    device: DeviceId
    incarnation: Incarnation | None


@dataclass(slots=True, eq=False)
class Task:
    """One task of a run and what has become of it."""

    run: RunId
    spec: TaskSpec
    sequence: int
    """Order of creation within the run."""
    state: TaskState = TaskState.WAITING
    revision: int = 0
    """The revision that last edited it."""
    incoming: tuple[Dependency, ...] = ()
    outgoing: list[TaskId] = field(default_factory=list)
    unmet: int = 0
    """Predecessors that are not final."""
    cost_s: float = 0.0
    """How long it takes on a reference device, as estimated when it was last edited."""
    rank: float = 0.0
    """Upward rank, seconds on a reference device (Topcuoglu et al. 2002, eq. 3)."""
    attempts: int = 0
    """Attempts made so far."""
    charged: int = 0
    """Attempts that count against its limit."""
    rejections: int = 0
    failed: int = 0
    """How often it failed, whether or not that was charged."""
    failures: tuple[str, ...] = ()
    """Where, and why: see `core.failures`."""
    excluded: frozenset[DeviceId] = frozenset()
    barred: frozenset[DeviceId] = frozenset()
    """Those excluded for good: the same would happen there again."""
    live: AttemptId | None = None
    hedge: AttemptId | None = None
    """A second live one, beside an attempt that is late (I4)."""
    doubt: Doubt | None = None
    """Set while it is unknown, if there was somebody to ask."""
    awaiting: Awaiting | None = None
    output: Json = None
    where: DeviceId | None = None
    """The device that its result was made on."""
    reason: str = ""
    failed_upstream: bool = False
    """Skipped because of a failure, not because a branch was not taken."""
    since: float = 0.0
    """When it became ready or unknown, or was told to stop."""
    parent: TaskId | None = None
    children: tuple[TaskId, ...] = ()
    items: tuple[Json, ...] = ()
    open_children: int = 0
    ticket: int = 0
    demand: Demand | None = None

    @property
    def key(self) -> Key:
        """Its timer."""
        return ("task", self.run, self.spec.id)

    @property
    def hedge_key(self) -> Key:
        """The timer of its hedge."""
        return ("hedge", self.run, self.spec.id)

    @property
    def needs(self) -> dict[Resource, float]:
        """The warm resources that it needs, and how much of them."""
        return named(self.spec.needs.resources, self.run)


@dataclass(slots=True, eq=False)
class Attempt:
    """A try of a task that its device is charged for."""

    id: AttemptId
    run: RunId
    task: TaskId
    number: int
    device: DeviceId
    token: int
    effect: Effect
    estimate_s: float
    offered_at: float
    revision: int
    """That of its task when it was placed: an edited task takes nothing from former attempts."""
    needs: tuple[ResourceNeed, ...] = ()
    state: AttemptState = AttemptState.OFFERED
    started_at: float | None = None
    single: bool = False
    """It gets no hedge any more: it had one, or it asked a person."""
    asked: int = 0
    """The number of the newest question that was taken; 0: none that had one."""
    answer: Json = None
    answered_at: float | None = None
    """When that question was answered; None while it is open."""

    @property
    def resources(self) -> dict[Resource, float]:
        """The warm resources that it uses."""
        return named(self.needs, self.run)


@dataclass(slots=True, eq=False)
class Run:
    """One request and its task graph."""

    submitted: RunSubmitted
    arrival: int
    status: RunStatus = RunStatus.PLANNING
    reason: str = ""
    epoch: int = 1
    revision: int = 0
    tasks: dict[TaskId, Task] = field(default_factory=dict)
    created: int = 0
    """Tasks ever created: the next sequence number."""
    submitted_at: float = 0.0
    """When it was, on the clock of this coordinator's life."""
    unfinished: int = 0
    paused: bool = False
    cancelling: RunCancelRequested | None = None
    asks: dict[str, PlanAsked] = field(default_factory=dict)
    asked: int = 0
    """How often the planner was asked to revise."""
    ended_at: float | None = None
    devices: dict[DeviceId, None] = field(default_factory=dict)
    """Those that were offered an attempt."""
    charged: int = 0
    """Attempts that devices are charged with."""
    superseded: bool = False
    """It ended here because another coordinator owns it: nothing of it is ours to acknowledge."""
    change: Change | None = None
    """The batch being accepted in the step under way."""
    pins: bool = False
    """Whether a task of it needs, or needed, a warm resource: the others cost nothing."""
    worked_s: float = 0.0
    """What devices measured of its attempts that succeeded."""
    hedges: int = 0
    hedged_s: float = 0.0
    """Estimates of its hedges, but for the first: what they may have cost."""
    adopted: PlanAdopted | None = None
    """What was found to be better than the plan that there was, until it is ended."""
    judged: RunJudged | None = None
    """How well it did, as somebody says; nothing depends on it."""

    @property
    def id(self) -> RunId:
        """The run's identity."""
        return self.submitted.run


@dataclass(slots=True, eq=False)
class Device:
    """One device as last announced, and what it is charged with."""

    card: DeviceCard
    order: int
    """Order of arrival: the last tie-break of every placement."""
    skills: Mapping[str, SkillInfo]
    warm: WarmSet
    online: bool = False
    incarnation: Incarnation | None = None
    since: float = 0.0
    """When this incarnation was first heard: an answer to an older hello is not of a later one."""
    seen_at: float = 0.0
    load: Load = field(default_factory=Load)
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    """Live and lapsed: I5 counts them all."""

    @property
    def free(self) -> int:
        """Slots that may be offered now."""
        return self.card.slots - len(self.attempts)

    @property
    def available(self) -> bool:
        """Whether it takes work at all."""
        return self.online and not self.load.draining and not is_low(self.load)


def is_low(load: Load) -> bool:
    """Tell whether a battery is so low that nothing new should be started."""
    return load.battery is not None and load.battery < LOW_BATTERY


class State:
    """Everything the engine knows."""

    __slots__ = (
        "arrivals",
        "attempts",
        "board",
        "devices",
        "doubts",
        "ended",
        "ended_tasks",
        "estimates",
        "expanding",
        "forgotten",
        "joining",
        "keeping",
        "keys",
        "lateness",
        "litter",
        "live",
        "overdue",
        "releases",
        "runs",
        "seekers",
        "timers",
        "token",
        "touched",
        "unended",
        "unsought",
        "warmth",
    )

    def __init__(self, keeping: Keeping = BY_INDEX) -> None:
        self.keeping = keeping
        """The rule by which devices' warm sets judge."""
        self.runs: dict[RunId, Run] = {}
        self.live: dict[RunId, None] = {}
        """Runs that have not ended."""
        self.ended: dict[RunId, None] = {}
        """Runs that have, in the order of their ends; kept until they are forgotten."""
        self.ended_tasks = 0
        self.forgotten: dict[RunId, int] = {}
        """The last runs that were forgotten, and a number that rises."""
        self.releases: dict[DeviceId, deque[RunId]] = {}
        """Forgotten runs that a device is yet to hear of: at its next heartbeat."""
        self.litter: list[dict[TaskId, Task]] = []
        """Tasks of forgotten runs: whoever has time lets go of them (`sweep`)."""
        self.keys: dict[tuple[str, str], RunId] = {}
        self.devices: dict[DeviceId, Device] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.doubts: dict[AttemptId, Task] = {}
        """Unknown tasks, by the attempt to ask about."""
        self.estimates = Estimates()
        self.lateness: dict[str, Lateness] = {}
        """By skill."""
        self.overdue: dict[AttemptId, None] = {}
        """Those that are to get a hedge when a device is idle. Not saved: timers tell again."""
        self.seekers: dict[DeviceId, None] = {}
        """Devices that got room and idle, while they look at the overdue, a few a step."""
        self.unsought = 0
        """How many of the overdue these have not looked at."""
        self.warmth = Warmth()
        self.board = Board(
            self.estimates, self.warmth.loads, self.attempts, runs=self.runs, live=self.live
        )
        self.timers = Timers()
        self.token = 0
        self.arrivals = 0
        # What the step under way still has to look at; empty between steps (I8).
        self.touched: list[Task] = []
        self.expanding: list[Task] = []
        self.joining: list[Task] = []
        self.unended: dict[RunId, None] = {}

    def sweep(self, limit: int) -> bool:
        """Let go of up to so many tasks of forgotten runs; return whether there are more."""
        while self.litter and limit > 0:
            tasks = self.litter[-1]
            for _ in range(min(limit, len(tasks))):
                tasks.popitem()
                limit -= 1
            if not tasks:
                self.litter.pop()
        return bool(self.litter)

    def task(self, attempt: Attempt) -> Task:
        """Return the task that a live attempt tries."""
        return self.runs[attempt.run].tasks[attempt.task]

    def owns(self, run: RunId | None) -> bool:
        """Tell whether what attempts of the run came to concerns this coordinator alone."""
        row = self.runs.get(run) if run is not None else None
        return not row.superseded if row is not None else run in self.forgotten

    def wants(self, attempt: Attempt) -> bool:
        """Tell whether a task may still take the attempt's result: not if it was edited since."""
        task = self.runs[attempt.run].tasks.get(attempt.task)
        return task is not None and task.state not in FINAL and task.revision == attempt.revision
