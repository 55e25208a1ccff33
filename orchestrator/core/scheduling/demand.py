"""A demand: ready tasks that the same devices can take, and those devices.

Ready tasks with the same demand (skill, labels, bound device, resources, exclusions) wait in one
queue, since the same devices can take them, and the same are better: what a task declares to take
scales with the device. Where a reload comes on top it does not, and tells demands apart.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Protocol, TypeAlias

from orchestrator.core.model import TaskSpec
from orchestrator.core.retention.needs import named
from orchestrator.core.retention.warm_set import WarmSet
from protocol.types import AttemptId, DeviceCard, DeviceId, Resource, RunId, SkillInfo


class Placeable(Protocol):
    """What tells where a task may go."""

    @property
    def run(self) -> RunId: ...  # noqa: D102
    @property
    def spec(self) -> TaskSpec: ...  # noqa: D102
    @property
    def excluded(self) -> frozenset[DeviceId]: ...  # noqa: D102


class Waiting(Placeable, Protocol):
    """A ready task, as placement sees it."""

    @property
    def rank(self) -> float: ...  # noqa: D102
    @property
    def sequence(self) -> int: ...  # noqa: D102

    @property
    def since(self) -> float: ...  # noqa: D102

    ticket: int
    """Its place in a queue; 0 while it does not wait. Written by the board."""
    demand: "Demand | None"
    """Where it waits. Written by the board."""


class Busy(Protocol):
    """An attempt that occupies a device."""

    @property
    def offered_at(self) -> float: ...  # noqa: D102
    @property
    def started_at(self) -> float | None: ...  # noqa: D102
    @property
    def estimate_s(self) -> float: ...  # noqa: D102


class Machine(Protocol):
    """A device, as placement sees it."""

    @property
    def card(self) -> DeviceCard: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102
    @property
    def skills(self) -> Mapping[str, SkillInfo]: ...  # noqa: D102
    @property
    def available(self) -> bool: ...  # noqa: D102
    @property
    def free(self) -> int: ...  # noqa: D102
    @property
    def warm(self) -> WarmSet: ...  # noqa: D102
    @property
    def attempts(self) -> Mapping[AttemptId, Busy]: ...  # noqa: D102


Key: TypeAlias = tuple[
    str,
    DeviceId | None,
    tuple[tuple[str, str], ...],
    tuple[tuple[Resource, float], ...],
    frozenset[DeviceId],
    float | None,
]
QueueKey: TypeAlias = tuple[int, float, int, float, int]
"""(-priority, turn, arrival of the run, -rank, sequence): smaller goes first."""
Entry: TypeAlias = tuple[QueueKey, int, Waiting]
Room: TypeAlias = tuple[float, int, int, Machine]
"""(estimate, slots used, order, device): smaller is better."""


@dataclass(slots=True, eq=False)
class Demand:
    """Ready tasks that the same devices can take, and those devices."""

    key: Key
    machines: dict[DeviceId, Machine] = field(default_factory=dict)
    """Known devices that can serve it, lost ones included."""
    queue: list[Entry] = field(default_factory=list)
    room: list[Room] = field(default_factory=list)
    stirred: dict[int, Machine] = field(default_factory=dict)
    """Devices that got busier or less busy since they were put into `room`, by their order."""
    waiting: int = 0
    quickest: list[tuple[float, Machine]] = field(default_factory=list)
    """The devices with the smallest estimates, busy or not, as of the last look at all of them."""
    needs: Mapping[Resource, float] = field(default_factory=dict)
    """The warm resources of the key, by name."""
    look_in: int = 0
    """Changes until the next such look: as many as there are devices, so that it costs O(1)."""

    @property
    def available(self) -> bool:
        """Whether a device that can serve it takes work at all, however busy it is."""
        return any(machine.available for machine in self.machines.values())

    def head(self) -> Entry | None:
        """Return the first task that still waits here."""
        queue = self.queue
        while queue:
            if queue[0][1] == queue[0][2].ticket:
                return queue[0]
            heapq.heappop(queue)
        return None

    def since(self) -> float:
        """Return when its first task became ready; `inf` if none waits."""
        head = self.head()
        return head[2].since if head else inf

    def turn(self) -> QueueKey | None:
        """Return the place of its first task among all that wait."""
        head = self.head()
        return head[0] if head else None


def key_of(task: Placeable) -> Key:
    """Return what tells demands apart."""
    spec, needs = task.spec, task.spec.needs
    labels = tuple(sorted(needs.labels.items())) if needs.labels else ()
    resources = tuple(named(needs.resources, task.run).items()) if needs.resources else ()
    declared = spec.estimate_s if resources else None
    return (spec.skill, needs.device, labels, resources, task.excluded, declared)


def serves(machine: Machine, key: Key) -> bool:
    """Tell whether a device has all that a demand asks for, however busy it is."""
    skill, device, labels, resources, excluded, _ = key
    card = machine.card
    return (
        skill in machine.skills
        and (device is None or device == card.device)
        and card.device not in excluded
        and _has(card.labels, labels)
        and (not resources or _holds(card.capacity, resources))
    )


def _holds(capacity: Mapping[str, float], resources: Iterable[tuple[Resource, float]]) -> bool:
    wanted: dict[str, float] = {}
    for name, amount in resources:
        wanted[name.kind] = wanted.get(name.kind, 0.0) + amount
    return all(kind in capacity and capacity[kind] >= amount for kind, amount in wanted.items())


def _has(labels: Mapping[str, str], wanted: Iterable[tuple[str, str]]) -> bool:
    return all(labels.get(name) == value for name, value in wanted)
