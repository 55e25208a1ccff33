"""A plan as activities, and devices as machines: what `schedule` reads.

What is assumed: every task runs but for those that wait for a failure; a `for_each` over devices
runs on all of them, one over items once; what runs now takes what is left of its estimate; a
task for which no device is known takes as long as on a device of speed 1, and waits for nobody;
data travel in no time; other runs take nothing, unless `Times.away` says that they do.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.estimates import PRIOR_S
from orchestrator.core.model import DEFAULT_NEEDS, On, TaskSpec
from orchestrator.core.retention.needs import named
from orchestrator.planner.checks.fleet import Fleet, Offer
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.schedule import Activity, Machine, Options, Problem
from protocol.types import DeviceCard, DeviceId, Resource, TaskId


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of time: points in seconds on one clock, intervals half-open."""

    now: float = 0.0
    deadline: float = math.inf
    """Of the run."""
    margin_s: float = 0.0
    """How much before its deadline the run should be done: no estimate counts what lies between
    tasks, such as offers and reports."""
    guess_s: float = PRIOR_S
    """How long a task takes on a device of speed 1 where neither plan nor card says it."""
    ran_s: Mapping[TaskId, float] = field(default_factory=dict)
    """How long what runs has run already."""
    windows: Mapping[TaskId, tuple[float, float]] = field(default_factory=dict)
    """A task's earliest start and latest end."""
    away: Mapping[DeviceId, Sequence[tuple[float, float]]] = field(default_factory=dict)
    """When a device is not there; a task is not interrupted by it."""
    exclusive: Mapping[TaskId, Sequence[str]] = field(default_factory=dict)
    """Names of what one task at a time may hold, wherever it runs."""
    seconds: Mapping[tuple[str, DeviceId], float] = field(default_factory=dict)
    """(skill, device) → how long it takes there; else what plan or card declare."""

    @property
    def due(self) -> float:
        """When the run should be done."""
        return self.deadline - self.margin_s

    @property
    def bind(self) -> bool:
        """Whether anything can be late."""
        return bool(self.deadline < math.inf or self.windows or self.away)


NO_TIMES: Final = Times()
NOBODY: Final = "a device to come"
_ANY: Final = (-math.inf, math.inf)
_FAILURE, _COMPLETION = On.FAILURE, On.COMPLETION  # members of enumerations are slow to look up


class Work:
    """A plan as activities, and devices as machines."""

    def __init__(self, plan: Plan, fleet: Fleet, times: Times) -> None:
        self.plan = plan
        self.fleet = fleet
        self.times = times
        self._due = times.due
        self._same = not (times.windows or times.exclusive)
        """Whether no task has times or things of its own."""
        self._kept: dict[object, Options] = {}
        self._of: dict[TaskId, Options] = {}
        self._place = {card.device: n for n, card in enumerate(fleet.cards)}

    def least(self, spec: TaskSpec) -> float:
        """Return how long a task takes where it is quickest."""
        return self._options(spec)[0][1]

    def problem(self) -> Problem:
        """Return everything that is still to be done; activities are named as their tasks."""
        parts: list[tuple[TaskSpec, Options]] = []
        members: dict[TaskId, list[int]] = {}
        alone = not self.plan.rows
        for spec in self._open():
            first = len(parts)
            if alone and spec.for_each is None:  # most are one activity
                members[spec.id] = [first]
                parts.append((spec, self._of.get(spec.id) or self._options(spec)))
                continue
            parts += [(spec, options) for options in self._parts(spec)]
            members[spec.id] = [*range(first, len(parts))]
        users = Counter(
            name
            for spec, _ in parts
            if spec.needs.resources
            for name in named(spec.needs.resources, None)
        )
        for name, row in self.plan.rows.items():
            if row.parent is not None:
                members.setdefault(row.parent, []).extend(members.get(name, ()))
        return Problem(
            [self._activity(spec, options, members, users) for spec, options in parts],
            [*map(self._machine, self.fleet.cards), Machine(NOBODY, slots=len(parts) + 1)],
        )

    def _open(self) -> Iterator[TaskSpec]:
        """Yield the tasks that are still to run, if nothing fails."""
        plan, idle = self.plan, set[TaskId]()
        if not (plan.rows or plan.cancelled or _FAILURE in {e.on for e in plan.edges.values()}):
            yield from map(plan.specs.__getitem__, plan.order)  # a first plan: nothing is lost yet
            return
        parents = {row.parent for row in plan.rows.values()}
        for task in plan.order:
            for before, on in plan.incoming[task].items():
                failed = before in idle
                if on is _FAILURE:
                    failed = not plan.lost(before)
                if failed and on is not _COMPLETION:
                    idle.add(task)
            if plan.lost(task):
                idle.add(task)
            elif task not in idle and task not in parents and not plan.done(task):
                yield plan.specs[task]

    def _parts(self, spec: TaskSpec) -> Iterable[Options]:
        """Return the options of each activity that the task is."""
        options = self._options(spec)
        if spec.for_each is not None and spec.for_each.source is None:
            return [(option,) for option in options]
        row = self.plan.rows.get(spec.id) if self.plan.rows else None
        if row is not None and row.device in self._place:
            here, ran_s = self._place[row.device], self.times.ran_s.get(spec.id, 0.0)
            there = [option for option in options if option[0] == here] or options
            return [tuple((place, max(0.0, seconds - ran_s)) for place, seconds in there)]
        return (options,)

    def _options(self, spec: TaskSpec) -> Options:
        """Return where a task can run, the quickest place first."""
        kept = self._of.get(spec.id)
        if kept is not None:
            return kept
        key: object = spec.skill, spec.estimate_s, spec.limits.run_s  # of most that is all
        if spec.needs is not DEFAULT_NEEDS or spec.for_each is not None:
            key = self.fleet.offers(spec), spec.needs.resources, key
        found = self._kept.get(key)
        if found is None:
            nowhere = (len(self.fleet.cards), max(0.0, spec.estimate_s or self.times.guess_s))
            known = [
                (self._place[offer.card.device], self._seconds(spec, offer))
                for offer in self.fleet.roomy(spec)
            ] or [nowhere]
            known.sort(key=lambda option: option[1])
            in_time = tuple(each for each in known if each[1] <= spec.limits.run_s)
            found = self._kept[key] = in_time or tuple(known)
        self._of[spec.id] = found
        return found

    def _seconds(self, spec: TaskSpec, offer: Offer) -> float:
        learned = self.times.seconds.get((spec.skill, offer.card.device))
        if learned is not None:
            return learned
        declared = spec.estimate_s if spec.estimate_s is not None else offer.skill.estimate_s
        return max(0.0, self.times.guess_s if declared is None else declared) / offer.card.speed

    def _activity(
        self,
        spec: TaskSpec,
        options: Options,
        members: Mapping[TaskId, list[int]],
        users: Mapping[Resource, int],
    ) -> Activity:
        times, task, waits = self.times, spec.id, self.plan.incoming[spec.id]
        after = tuple([k for name in waits for k in members.get(name, ())]) if waits else ()
        row = self.plan.rows.get(task) if self.plan.rows else None
        if self._same and row is None and not spec.needs.resources:  # most say nothing else
            return Activity(task, options, after, times.now, self._due)
        earliest, latest = times.windows.get(task, _ANY)
        resources = spec.needs.resources
        needs = named(resources, None).items() if resources else ()
        return Activity(
            task,
            options,
            after,
            max(times.now, earliest),
            min(self._due, latest),
            tuple([(name.kind, amount) for name, amount in needs if users[name] == 1]),
            tuple(times.exclusive.get(task, ())),
            started=row is not None and row.device is not None,
            shared=tuple([(r.kind, amount, r.key) for r, amount in needs if users[r] > 1]),
        )

    def _machine(self, card: DeviceCard) -> Machine:
        away = tuple(self.times.away.get(card.device, ()))
        return Machine(card.device, card.slots, card.capacity, away)
