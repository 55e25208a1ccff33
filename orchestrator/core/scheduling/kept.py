"""The plan that is kept between events, and what planning asks of runs, tasks and attempts.

A plan is what a policy means to do, and no fact: placements are. Whoever loses it, as a restart
does, makes another one from the state as it is.
"""

from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, NamedTuple, Protocol, TypeAlias

from orchestrator.core.facts import PlanAdopted, RunSubmitted
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency
from orchestrator.core.scheduling.demand import Placeable, Waiting
from protocol.types import AttemptId, DeviceId, Json, RunId, TaskId

Name: TypeAlias = tuple[RunId, TaskId]
SOON: Final = 8  # the next tasks of a device
ROOM: Final = 1024  # notes of ended runs that may lie about, and as many as there are of others


class Unstarted(Waiting, Protocol):
    """A task of a run, as planning sees it."""

    @property
    def state(self) -> TaskState: ...  # noqa: D102
    @property
    def incoming(self) -> Sequence[Dependency]: ...  # noqa: D102
    @property
    def outgoing(self) -> Sequence[TaskId]: ...  # noqa: D102
    @property
    def live(self) -> AttemptId | None: ...  # noqa: D102
    @property
    def hedge(self) -> AttemptId | None: ...  # noqa: D102
    @property
    def where(self) -> DeviceId | None: ...  # noqa: D102
    @property
    def output(self) -> Json: ...  # noqa: D102
    @property
    def parent(self) -> TaskId | None: ...  # noqa: D102


class Unfinished(Protocol):
    """A run, as planning sees it."""

    @property
    def submitted(self) -> RunSubmitted: ...  # noqa: D102
    @property
    def submitted_at(self) -> float: ...  # noqa: D102
    @property
    def arrival(self) -> int: ...  # noqa: D102
    @property
    def revision(self) -> int: ...  # noqa: D102
    @property
    def created(self) -> int: ...  # noqa: D102
    @property
    def paused(self) -> bool: ...  # noqa: D102
    @property
    def tasks(self) -> Mapping[TaskId, Unstarted]: ...  # noqa: D102
    @property
    def adopted(self) -> PlanAdopted | None: ...  # noqa: D102


class Running(Protocol):
    """An attempt that a device is charged with."""

    @property
    def run(self) -> RunId: ...  # noqa: D102
    @property
    def task(self) -> TaskId: ...  # noqa: D102
    @property
    def device(self) -> DeviceId: ...  # noqa: D102
    @property
    def offered_at(self) -> float: ...  # noqa: D102
    @property
    def started_at(self) -> float | None: ...  # noqa: D102
    @property
    def estimate_s(self) -> float: ...  # noqa: D102


Queue: TypeAlias = deque[tuple[float, float, Unstarted]]
"""When a task is to be offered, when its inputs are there, and which."""
Basis: TypeAlias = tuple[object, ...]
"""What a plan was made for: another one is needed when it is no longer so."""


class Asked(NamedTuple):
    """What a problem is of: what its plan was made for, and what its numbers stand for."""

    basis: Basis | None
    tasks: Sequence[Unstarted]
    devices: Sequence[DeviceId]


@dataclass(slots=True)
class Plan:
    """Unstarted tasks, in the order in which they are to start, by device."""

    fleet: int = 0
    """Rises when a device comes, goes or changes."""
    basis: Basis | None = None
    possible: bool = False
    """Whether there is anything to plan with, on this basis."""
    order: list[Unstarted] = field(default_factory=list)
    queues: dict[DeviceId, Queue] = field(default_factory=dict)
    """By device, what it is to do."""
    slot: dict[Name, float] = field(default_factory=dict)
    """When there is to be a slot for a task."""
    idle: dict[DeviceId, float] = field(default_factory=dict)
    """By device, when there is to be one for which nothing is left."""
    intended: dict[Name, DeviceId] = field(default_factory=dict)
    """Where each unstarted task is meant to go: its inputs may be sent there ahead."""
    since: dict[Name, dict[DeviceId, float]] = field(default_factory=dict)
    """Since when a task has been meant for a device: then its inputs were sent, if made."""
    offered: dict[Name, tuple[float, float]] = field(default_factory=dict)
    """When those that were offered are to begin, as their inputs come, and to end."""
    end: float = 0.0
    """When all of it is to be done."""
    version: int = 0
    """Rises with every change of `intended`."""
    credit: float = 0.0
    """Work on repairs that is paid for."""
    each: float = 0.0
    """That of a repair for each task of the plan, in tasks and dependencies."""
    ahead: bool = False
    """Whether devices fetch inputs as soon as it is known where they go."""
    moved: dict[Name, None] = field(default_factory=dict)
    """What is meant for another device since somebody last looked."""
    hinted: set[tuple[RunId, DeviceId, str]] = field(default_factory=set)
    """The artifacts, by hash, that devices were told to fetch."""
    sizes: dict[Name, tuple[Json, float]] = field(default_factory=dict)
    """Results that were asked for, and how much their artifacts have."""
    learned: int = 0
    """How many skills had been learned of when this basis was looked at."""
    asked: Asked | None = None
    """The problem that is out, if one is: see `improvement`."""
    asked_at: float = -inf
    paid_until: float = -inf
    """Until when the run has been searched for in advance."""
    problems: int = 0
    """How many there were."""
    searched: bool = False
    """Whether there was one of this plan."""
    fruitless: int = 0
    """How many of them, the last ones, found nothing better: the next one can wait."""
    _room: int = field(default_factory=lambda: ROOM)
    _available: dict[DeviceId, bool] = field(default_factory=dict)

    def seen(self, device: DeviceId, *, available: bool) -> None:
        """Note whether a device takes work."""
        if self._available.get(device) is not available:
            self._available[device] = available
            self.fleet += 1

    def added(self, task: Placeable) -> None:
        """Note that a task waits for a device: one that was not planned asks for another plan."""
        if self.possible and (task.run, task.spec.id) not in self.intended:
            self.basis = None

    def forget_ended(self, live: Container[RunId]) -> None:
        """Drop what is noted of runs that are over, now and then: O(1) amortised."""
        if self._noted() < self._room:
            return
        self.offered = {name: at for name, at in self.offered.items() if name[0] in live}
        self.since = {name: at for name, at in self.since.items() if name[0] in live}
        self.sizes = {name: size for name, size in self.sizes.items() if name[0] in live}
        self.hinted = {key for key in self.hinted if key[0] in live}
        self._room = 2 * self._noted() + ROOM

    def _noted(self) -> int:
        return len(self.offered) + len(self.since) + len(self.sizes) + len(self.hinted)

    def awaits(self, device: DeviceId) -> bool:
        """Tell whether something that is ready is to go to a device soon."""
        return any(
            task.demand is not None for _, _, task in islice(self.queues.get(device, ()), SOON)
        )

    def abandon(self) -> None:
        """Plan nothing, whatever there is."""
        if self.possible or self.basis is not None:
            self.clear()
            self.basis, self.possible = None, False

    def clear(self) -> None:
        """Mean to do nothing."""
        if self.order or self.intended:
            self.order, self.queues, self.intended = [], {}, {}
            self.version += 1
