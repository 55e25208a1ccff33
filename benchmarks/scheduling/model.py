"""What is scheduled, on what, and what came of it. Frozen values; times in the instance's unit.

An `Instance` is a task graph as its author measured it. A `Fleet` is the devices and their links.
A `Problem` is one on the other: what every task costs on every device, as far as is known before.
An `Execution` is a task on a device over a half-open interval; a `Trace` is what was executed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Task:
    """One task of an instance."""

    work: float
    """How long it takes on a device of speed 1, ≥ 0."""
    skill: str = "work"
    name: str = ""
    release: float = 0.0
    """It may not start before."""
    due: float = inf
    """It must have finished by then."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` needs `size` of what `source` made. Both are places in `Instance.tasks`."""

    source: int
    target: int
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A task graph without a cycle, and what its own network looked like if it came with one."""

    name: str
    tasks: tuple[Task, ...]
    edges: tuple[Edge, ...]
    family: str = ""
    bandwidth: float | None = None
    """Median of its own links, size by time; None where nothing is known."""
    fleet: "Fleet | None" = None
    """The devices that it comes with, if it does: a job shop's machines."""

    @property
    def skills(self) -> list[str]:
        """Return every skill that a task needs, sorted."""
        return sorted({task.skill for task in self.tasks})


@dataclass(frozen=True, slots=True)
class Device:
    """One device; it works within its windows, half-open. Without `skills` it knows all."""

    speed: float = 1.0
    slots: int = 1
    skills: frozenset[str] | None = None
    windows: tuple[tuple[float, float], ...] = ((0.0, inf),)
    paces: Mapping[str, float] = field(default_factory=dict)
    """By skill, how many times as fast it is there as its speed says; 1 where nothing is said."""

    def pace(self, skill: str) -> float:
        """Return how fast it is at a skill."""
        return self.speed * self.paces.get(skill, 1.0)

    def can(self, task: Task) -> bool:
        """Tell whether it has the skill of a task."""
        return self.skills is None or task.skill in self.skills


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices and their links; what stays on a device is there at once."""

    devices: tuple[Device, ...]
    bandwidth: tuple[tuple[float, ...], ...]
    """`bandwidth[a][b]`, size by time; the diagonal is not read."""

    def transfer(self, size: float, a: int, b: int) -> float:
        """Return how long `size` takes from device `a` to device `b`."""
        return 0.0 if a == b else size / self.bandwidth[a][b]

    @property
    def mean_bandwidth(self) -> float:
        """Return the mean over all links (infinite where there is none)."""
        count = range(len(self.devices))
        links = [self.bandwidth[a][b] for a in count for b in count if a != b]
        return sum(links) / len(links) if links else inf


Link: TypeAlias = tuple[int, float]
"""The task at the other end of an edge, and the edge's size."""


@dataclass(frozen=True)
class Problem:
    """An instance on a fleet. `costs[v][d]` is infinite where device `d` cannot do task `v`."""

    instance: Instance
    fleet: Fleet
    costs: tuple[tuple[float, ...], ...]

    @cached_property
    def predecessors(self) -> tuple[tuple[Link, ...], ...]:
        """Return, for every task, what it waits for."""
        found: list[list[Link]] = [[] for _ in self.instance.tasks]
        for edge in self.instance.edges:
            found[edge.target].append((edge.source, edge.size))
        return tuple(map(tuple, found))

    @cached_property
    def successors(self) -> tuple[tuple[Link, ...], ...]:
        """Return, for every task, what waits for it."""
        found: list[list[Link]] = [[] for _ in self.instance.tasks]
        for edge in self.instance.edges:
            found[edge.source].append((edge.target, edge.size))
        return tuple(map(tuple, found))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Return the tasks so that each comes after its predecessors; ties by their place.

        Raises:
            ValueError: the graph has a cycle.
        """
        left = [len(before) for before in self.predecessors]
        order = [task for task, count in enumerate(left) if count == 0]
        for task in order:
            for successor, _ in self.successors[task]:
                left[successor] -= 1
                if left[successor] == 0:
                    order.append(successor)
        if len(order) < len(left):
            raise ValueError(f"{self.instance.name}: the graph has a cycle")
        return tuple(order)

    @cached_property
    def mean_costs(self) -> tuple[float, ...]:
        """Return every task's mean cost over the devices that can do it."""
        return tuple(_mean([cost for cost in row if cost < inf]) for row in self.costs)

    @property
    def devices(self) -> range:
        """Return the devices' places."""
        return range(len(self.fleet.devices))

    def mean_transfer(self, size: float) -> float:
        """Return a transfer's time at the mean bandwidth (Topcuoglu et al. 2002, eq. 2)."""
        return size / self._mean_bandwidth

    @cached_property
    def _mean_bandwidth(self) -> float:
        return self.fleet.mean_bandwidth


def problem(instance: Instance, fleet: Fleet) -> Problem:
    """Put an instance on a fleet: a task's cost is its work by the device's pace.

    Raises:
        ValueError: no device has the skill of some task.
    """
    costs = tuple(
        tuple(task.work / d.pace(task.skill) if d.can(task) else inf for d in fleet.devices)
        for task in instance.tasks
    )
    for task, row in zip(instance.tasks, costs, strict=True):
        if min(row) == inf:
            raise ValueError(f"{instance.name}: no device has the skill {task.skill!r}")
    return Problem(instance, fleet, costs)


@dataclass(frozen=True, slots=True)
class Execution:
    """A task on a device from `start` to `finish`; not `done` if it was lost or stopped there."""

    task: int
    device: int
    start: float
    finish: float
    done: bool = True
    attempt: int = 0
    """How many tries of the task went before."""


Trace: TypeAlias = Sequence[Execution]


def makespan(trace: Trace) -> float:
    """Return when the last task was done."""
    return max((each.finish for each in trace if each.done), default=0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
