"""What waits and where it could go: the indexed view that placement policies read.

Ready tasks wait by demand. Each demand keeps a heap of its devices with room, so that a change
costs O(log n) and not O(fleet). Heaps are lazy: an entry that no longer tells the truth is dropped
when it comes up, and a heap that is mostly stale is rebuilt. Policies that plan find the runs
here, and keep their plan.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import inf
from typing import TypeAlias

from orchestrator.core.estimates import Estimates
from orchestrator.core.model import TaskSpec
from orchestrator.core.retention.keys import LoadTimes
from orchestrator.core.retention.needs import named
from orchestrator.core.retention.warm_set import Admission
from orchestrator.core.scheduling.demand import (
    Demand,
    Key,
    Machine,
    Placeable,
    Room,
    Waiting,
    key_of,
    serves,
)
from orchestrator.core.scheduling.kept import Plan, Running, Unfinished
from orchestrator.core.scheduling.memory import Memory
from orchestrator.core.scheduling.urgency import left, turn
from protocol.types import AttemptId, DeviceId, Resource, RunId

QUICKEST = 8  # devices that a task may wait for although another has room
IDLE = 64  # devices looked at for a hedge, and the best: of more, one will do
EMPTY_DEMANDS = 64  # demands without tasks kept warm: making one costs a walk over the fleet

Eligible: TypeAlias = Callable[[Placeable, Sequence[Machine]], Sequence[Machine]]


def all_of(_task: Placeable, machines: Sequence[Machine]) -> Sequence[Machine]:
    """Return all of them: what a task needs is asked elsewhere."""
    return machines


class Board:
    """Ready tasks and devices, indexed for placement."""

    __slots__ = (
        "_demands",
        "_left",
        "_machines",
        "_memory",
        "_needing",
        "_of",
        "_pushed",
        "attempts",
        "by_deadline",
        "changed",
        "eligible",
        "estimates",
        "live",
        "look_at",
        "plan",
        "runs",
        "vacated",
    )

    def __init__(
        self,
        estimates: Estimates,
        loads: LoadTimes,
        attempts: Mapping[AttemptId, Running],
        *,
        runs: Mapping[RunId, Unfinished],
        live: Mapping[RunId, None],
    ) -> None:
        self.estimates, self.attempts, self.runs, self.live = estimates, attempts, runs, live
        self.plan = Plan()
        """What a planning policy means to do; it may be forgotten at any time."""
        self.by_deadline = False
        """Whether ready tasks wait in the order of `urgency`, or their runs as they arrived."""
        self.eligible: Eligible = all_of
        """Which devices the policy allows a copy of a task on, of some that could take it."""
        self._needing: dict[Resource, dict[Key, Demand]] = {}
        self._memory = Memory(loads, attempts, lambda name: self._needing.get(name, {}).values())
        self._demands: dict[Key, Demand] = {}
        self._machines: dict[DeviceId, Machine] = {}
        self._of: dict[DeviceId, dict[Key, Demand]] = {}
        self._pushed = 0
        self.changed: dict[Key, Demand] = {}
        """Demands that got a task or room since the policy last ran."""
        self._left: dict[Key, Demand] = {}
        self.look_at: float | None = None
        """When to look again at what was left to busy devices: they may be late."""
        self.vacated: dict[DeviceId, Machine] = {}
        """Devices that may have got room since hedges were last looked at."""

    # Tasks

    def add(self, task: Waiting, *, priority: int, arrival: int) -> None:
        """Let a ready task wait."""
        demand = self._demand(task)
        self.plan.added(task)
        self._pushed += 1
        due = self._turn(demand, task) if self.by_deadline else 0.0
        key = (-priority, due, arrival, -task.rank, task.sequence)
        heapq.heappush(demand.queue, (key, self._pushed, task))
        task.ticket, task.demand = self._pushed, demand
        demand.waiting += 1
        self.changed[demand.key] = demand

    def remove(self, task: Waiting) -> None:
        """Forget a task that waits no longer; its entry is dropped when it comes up."""
        if task.demand is not None:
            task.demand.waiting -= 1
            task.ticket, task.demand = 0, None

    def demands(self) -> Iterable[Demand]:
        """Return every demand that is known; in some nothing waits."""
        return self._demands.values()

    def shift(self, shift_s: float) -> None:
        """Count times on another clock, on which it is `shift_s` later."""
        if self.by_deadline:
            for demand in self._demands.values():
                demand.queue = [
                    ((first, due + shift_s, arrival, rank, n), ticket, task)
                    for (first, due, arrival, rank, n), ticket, task in demand.queue
                ]

    def servable(self, task: Waiting) -> bool:
        """Tell whether any known device, lost ones included, could take the task."""
        return bool(self._demand(task).machines)

    def stranded(self) -> list[Waiting]:
        """Return what no device that is known takes, or none that was not excluded and is there.

        O(demands), plus what is returned.
        """
        return [
            task
            for demand in self._demands.values()
            if demand.waiting and (demand.key[4] or not demand.machines) and not demand.available
            for _, ticket, task in sorted(demand.queue)
            if task.ticket == ticket
        ]

    def idles(self, machine: Machine) -> bool:
        """Tell whether a device has room that nothing ready could take, or is meant to."""
        device = machine.card.device
        demands = self._of.get(device)
        if demands is None or not machine.available or machine.free <= 0:
            return False
        if self.plan.possible:
            return not self.plan.awaits(device)
        return not any(demand.waiting for demand in demands.values())

    def idle(self, task: Waiting, now: float) -> Sequence[Machine]:
        """Return devices that could take another copy of a task and idle; of many, some."""
        demand = self._demand(task)
        best = self.best(demand, now)
        some = [best[3]] if best is not None else []
        return [m for m in (*some, *islice(demand.machines.values(), IDLE)) if self.idles(m)]

    def capable(self, spec: TaskSpec) -> Iterator[Machine]:
        """Yield every known device that has what `spec` needs, exclusions apart."""
        key = (
            spec.skill,
            spec.needs.device,
            tuple(sorted(spec.needs.labels.items())),
            tuple(named(spec.needs.resources, None).items()),
            frozenset[DeviceId](),
            None,
        )
        return (m for m in self._machines.values() if serves(m, key))

    # Devices

    def machine(self, machine: Machine) -> None:
        """Index a new device, or one whose card changed."""
        device = machine.card.device
        self.drop(device)
        self._machines[device] = machine
        self.plan.fleet += 1
        of = self._of[device] = {}
        for key, demand in self._demands.items():
            if serves(machine, key):
                demand.machines[device] = machine
                of[key] = demand
                self._rank(demand, machine)
        self.freed(machine)

    def drop(self, device: DeviceId) -> None:
        """Forget a device."""
        self._machines.pop(device, None)
        self.plan.fleet += 1
        self._memory.forget(device)
        for key, demand in self._of.pop(device, {}).items():
            del demand.machines[device]
            if any(m.card.device == device for _, m in demand.quickest):
                demand.quickest = [(s, m) for s, m in demand.quickest if m.card.device != device]
                demand.look_in = 0  # another one may follow
            if demand.waiting:
                self.changed[key] = demand  # what was left to it may have to go elsewhere

    def freed(self, machine: Machine) -> None:
        """Note that a device may have room (again)."""
        self.vacated[machine.card.device] = machine
        self.relieved(machine)
        self.plan.seen(machine.card.device, available=machine.available)
        parked = self._memory.parked(machine.card.device)
        for key, demand in self._of[machine.card.device].items():
            if id(demand) not in parked:
                self._stir(demand, machine)
                if demand.waiting:
                    self.changed[key] = demand

    def taken(self, machine: Machine) -> None:
        """Note that a device got busier."""
        self.relieved(machine)
        if machine.free > 0:
            parked = self._memory.parked(machine.card.device)
            for demand in self._of[machine.card.device].values():
                if id(demand) not in parked:
                    self._stir(demand, machine)

    def relieved(self, machine: Machine) -> None:
        """Let those ask again that wait for memory of a device."""
        for demand in self._memory.unpark(machine.card.device):
            assert isinstance(demand, Demand)  # noqa: S101 - we parked it
            self._stir(demand, machine)
            if demand.waiting:
                self.changed[demand.key] = demand

    def warmed(self, resources: Iterable[Resource]) -> None:
        """Note that a resource became warm or cold somewhere. O(devices of who needs it)."""
        for name in resources:
            for demand in self._needing.get(name, {}).values():
                self._look(demand)
                if demand.waiting:
                    self.changed[demand.key] = demand

    @property
    def machines(self) -> Mapping[DeviceId, Machine]:
        """Every known device."""
        return self._machines

    @property
    def deadlocked(self) -> bool:
        """Whether nothing runs anywhere."""
        return self._memory.deadlocked

    def admission(self, machine: Machine, task: Waiting, now: float) -> Admission:
        """Return what an attempt of a task that waits would wait for, or load and evict."""
        return self._memory.plan(machine, self._demand(task), now)

    # What policies ask

    def leave(self, demand: Demand, look_at: float) -> None:
        """Leave tasks to devices that are busy, until `look_at` at the latest."""
        self._left[demand.key] = demand
        self.look_at = look_at if self.look_at is None else min(self.look_at, look_at)

    def look_again(self) -> None:
        """Have the policy look at everything that was left."""
        self.changed |= self._left
        self._left.clear()
        self.look_at = None
        self.plan.credit = inf
        for device in self._memory.devices():
            self.relieved(self._machines[device])

    def best(self, demand: Demand, now: float) -> Room | None:
        """Return the device with room that finishes soonest, ties to the emptier, the earlier."""
        room = demand.room
        for machine in demand.stirred.values():
            seconds = self.seconds(demand, machine)
            heapq.heappush(room, (seconds, len(machine.attempts), machine.order, machine))
        demand.stirred.clear()
        while room:
            seconds, used, order, machine = room[0]
            if (
                used != len(machine.attempts)
                or machine.free <= 0
                or not machine.available
                or demand.machines.get(machine.card.device) is not machine
            ):
                heapq.heappop(room)
            elif seconds < (known := self.seconds(demand, machine)):
                heapq.heapreplace(room, (known, used, order, machine))  # it was learned since
            elif demand.needs and not self._has_memory(demand, machine, now):
                heapq.heappop(room)
            else:
                return room[0]
        return None

    def seconds(self, demand: Demand, machine: Machine) -> float:
        """Return the expected duration of its tasks with reloads, or else of a second of them."""
        card, skill = machine.card, demand.key[0]
        pace = self.estimates.pace(skill, card.device, speed=card.speed)
        if not demand.needs:
            return pace
        run_s = pace * self.estimates.reference(skill, demand.key[5])
        return run_s + self._memory.reload_s(demand, machine)

    def scale(self, demand: Demand, task: Waiting) -> float:
        """Return by what `seconds` are multiplied for one of the demand's tasks."""
        if demand.needs:
            return 1.0
        return self.estimates.reference(demand.key[0], task.spec.estimate_s)

    # Insides

    def _turn(self, demand: Demand, task: Waiting) -> float:
        reference_s = self.estimates.reference(task.spec.skill, task.spec.estimate_s)
        quickest_s = reference_s
        if demand.quickest:
            quickest_s = demand.quickest[0][0] * self.scale(demand, task)
        own_s, path_s = left(task.rank, reference_s=reference_s, quickest_s=quickest_s)
        return turn(self.runs[task.run], since=task.since, own_s=own_s, path_s=path_s)

    def _demand(self, task: Waiting) -> Demand:
        key = key_of(task)
        demand = self._demands.get(key)
        if demand is None:
            self._forget_empty()
            demand = Demand(key, needs=dict(key[3]))
            for name in demand.needs:
                self._needing.setdefault(name, {})[key] = demand
            for device, machine in self._machines.items():
                if serves(machine, key):
                    demand.machines[device] = machine
                    self._of[device][key] = demand
            self._look(demand)
            self._demands[key] = demand
        return demand

    def _stir(self, demand: Demand, machine: Machine) -> None:
        """Note that a device has more or less room: whoever asks for the best counts that in."""
        demand.stirred[machine.order] = machine
        demand.look_in -= 1
        if demand.look_in < 0:
            self._look(demand)

    def _look(self, demand: Demand) -> None:
        """Look at every device of a demand: which are quickest, and drop what is stale."""
        demand.room = [
            (self.seconds(demand, m), len(m.attempts), m.order, m)
            for m in demand.machines.values()
        ]
        heapq.heapify(demand.room)
        demand.stirred.clear()
        demand.quickest = [(s, m) for s, _, _, m in heapq.nsmallest(QUICKEST, demand.room)]
        demand.look_in = 4 * len(demand.machines) + 64

    def _rank(self, demand: Demand, machine: Machine) -> None:
        """Count a device among the quickest of a demand, if it is one."""
        demand.quickest.append((self.seconds(demand, machine), machine))
        demand.quickest.sort(key=lambda each: (each[0], each[1].order))
        del demand.quickest[QUICKEST:]

    def _has_memory(self, demand: Demand, machine: Machine, now: float) -> bool:
        """Tell whether what a task needs is warm or can be; if not, have it ask again."""
        until = self._memory.wait(demand, machine, now)
        if until is not None:
            self._memory.park(demand, machine)
            if until < inf:
                self.leave(demand, until)
        return until is None

    def _forget_empty(self) -> None:
        empty = [demand for demand in self._demands.values() if not demand.waiting]
        if len(empty) <= EMPTY_DEMANDS:
            return
        for demand in empty[: EMPTY_DEMANDS // 2]:
            del self._demands[demand.key]
            for device in demand.machines:
                del self._of[device][demand.key]
            for name in demand.needs:
                del self._needing[name][demand.key]
                if not self._needing[name]:
                    del self._needing[name]
