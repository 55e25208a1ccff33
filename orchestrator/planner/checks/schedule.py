"""Serial schedule generation: when everything could be done, on which machine.

Kolisch 1996, "Serial and parallel resource-constrained project scheduling methods revisited",
EJOR 90, section 2: of the activities whose predecessors are placed, the one with the best
priority is placed as early as its resources allow, gaps included. Priorities: latest finish time
(LFT), slack, and tail (what must come after it at least). The constraints are those of
R-ConstraintBench (Jain & Wetter 2025, arXiv 2508.15204): windows, downtime, exclusive resources,
capacity.

Deviations. Several machines can do an activity: it goes where it ends first (as in HEFT,
Topcuoglu et al. 2002) or, by chance, elsewhere. Where no rule fits, priorities are drawn at
random, far from those of LFT and near them in turn. A schedule without late activities keeps every
constraint; that none is found proves nothing, unless `Schedule.hopeless` says so.

Time is in seconds on one clock; intervals are half-open. Nothing here knows tasks or devices.
"""

import heapq
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from orchestrator.planner.checks.profile import Profile
from orchestrator.planner.checks.sharing import Shared

PLACEMENTS: Final = 4_000  # tried at random before giving up; about 15 ms
MOST_RESTARTS: Final = 300
ELSEWHERE: Final = 0.25  # how often a random schedule does not take the machine that ends first


Options: TypeAlias = tuple[tuple[int, float], ...]
"""(number of the machine, seconds ≥ 0), for each that can do an activity, the quickest first."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Somebody who does `slots` activities at a time."""

    name: str
    slots: int = 1
    capacity: Mapping[str, float] = field(default_factory=dict)
    """Kind of resource → how much of it there is."""
    away: tuple[tuple[float, float], ...] = ()
    """When it does nothing; an activity is not interrupted by it."""


class Activity(NamedTuple):
    """Something to do, on one of several machines, in one piece."""

    name: str
    durations: Options
    predecessors: tuple[int, ...] = ()
    """Numbers of activities; none waits for itself in the end."""
    release: float = 0.0
    """It does not start before."""
    due: float = math.inf
    """It ends by then."""
    demand: tuple[tuple[str, float], ...] = ()
    """(kind, amount) of its machine's capacity, used from start to end."""
    exclusive: tuple[str, ...] = ()
    """What only one activity at a time holds, wherever it runs."""
    started: bool = False
    """It is at work already, so it goes before all others; it waits for none."""
    shared: tuple[tuple[str, float, str], ...] = ()
    """(kind, amount, key): as `demand`, but those with one key use it together."""


class Placed(NamedTuple):
    """Where and when an activity is done; never: infinite times."""

    machine: int
    start: float
    finish: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """The best schedule that was found."""

    placed: tuple[Placed, ...]
    late: Mapping[int, float]
    """Activity → seconds past its due time."""
    hopeless: frozenset[int] = frozenset()
    """Those that would be late even if every machine were theirs alone: no schedule can help."""
    tries: int = 1

    @property
    def finish(self) -> float:
        """When everything is done."""
        return max((each.finish for each in self.placed), default=-math.inf)


class Problem:
    """Activities and machines, with what follows from them."""

    def __init__(self, activities: Sequence[Activity], machines: Sequence[Machine]) -> None:
        self.activities = activities
        self.machines = machines
        self.successors: list[list[int]] = [[] for _ in activities]
        self._ordered = True
        for n, activity in enumerate(activities):
            for before in activity.predecessors:
                self.successors[before].append(n)
                if before >= n:
                    self._ordered = False

    @cached_property
    def order(self) -> Sequence[int]:
        """The activities, predecessors first."""
        if self._ordered:
            return range(len(self.activities))
        waits = [len(activity.predecessors) for activity in self.activities]
        order = [n for n, count in enumerate(waits) if not count]
        for n in order:  # grows while it is walked
            for after in self.successors[n]:
                waits[after] -= 1
                if not waits[after]:
                    order.append(after)
        return order

    @cached_property
    def shortest(self) -> Sequence[float]:
        """How long each takes where it is quickest."""
        return [each.durations[0][1] if each.durations else 0.0 for each in self.activities]

    @cached_property
    def tail(self) -> Sequence[float]:
        """How long it takes from the start of each to the end of all that follows, at least."""
        tail = list(self.shortest)
        for n in reversed(self.order):
            if later := self.successors[n]:
                tail[n] += max([tail[after] for after in later])
        return tail

    @cached_property
    def latest(self) -> Sequence[float]:
        """When each must end so that all that follows can be in time."""
        shortest, latest = self.shortest, [activity.due for activity in self.activities]
        for n in reversed(self.order):
            for after in self.successors[n]:
                if (least := latest[after] - shortest[after]) < latest[n]:
                    latest[n] = least
        return latest

    @cached_property
    def alone(self) -> Sequence[Placed]:
        """Each where and when it would be done if it had all machines for itself."""
        empty = [_slots(machine) for machine in self.machines]
        placed: list[Placed] = [_NEVER] * len(self.activities)
        for n in self.order:
            activity = self.activities[n]
            start = max((placed[p].finish for p in activity.predecessors), default=-math.inf)
            start = max(start, activity.release)
            for machine, seconds in activity.durations:
                begin = empty[machine].earliest(start, seconds, 1.0)
                if begin + seconds < placed[n].finish and _has(self.machines[machine], activity):
                    placed[n] = Placed(machine, begin, begin + seconds)
        return placed


_NEVER: Final = Placed(-1, math.inf, math.inf)


def _has(machine: Machine, activity: Activity) -> bool:
    needs = (*activity.demand, *((kind, amount) for kind, amount, _ in activity.shared))
    return all(machine.capacity.get(kind, 0.0) >= amount for kind, amount in needs)


def _slots(machine: Machine) -> Profile:
    profile = Profile(machine.slots)
    for start, end in machine.away:
        profile.take(start, end, machine.slots)
    return profile


def schedule(problem: Problem, *, seed: int = 0, restarts: int | None = None) -> Schedule:
    """Return a schedule that keeps everything, else one that is late by little.

    O(n · machines) for each try, of which there is one where the first rule fits; `restarts`
    bounds the random ones.
    """
    best = _judged(problem, _serial(problem, RULES["latest finish"](problem)), 1)
    if not best.late:
        return best
    hopeless = frozenset(_late(problem, problem.alone))
    tries = 1
    for keys, chance in () if hopeless else _further(problem, seed, restarts):
        tries += 1
        best = min(best, _judged(problem, _serial(problem, keys, chance), tries), key=_lateness)
        if not best.late:
            return best
    return Schedule(best.placed, best.late, hopeless, tries)


def _lateness(found: Schedule) -> tuple[float, int]:
    return sum(found.late.values()), len(found.late)


def _judged(problem: Problem, placed: Sequence[Placed], tries: int) -> Schedule:
    return Schedule(tuple(placed), _late(problem, placed), tries=tries)


def _late(problem: Problem, placed: Sequence[Placed]) -> Mapping[int, float]:
    return {
        n: math.inf if found.machine < 0 else found.finish - each.due
        for n, (each, found) in enumerate(zip(problem.activities, placed, strict=True))
        if found.machine < 0 or found.finish > each.due
    }


Keys: TypeAlias = Sequence[tuple[float, float]]
RULES: Final[Mapping[str, Callable[[Problem], Keys]]] = {
    "latest finish": lambda p: [
        (latest, -tail) for latest, tail in zip(p.latest, p.tail, strict=True)
    ],
    "tail": lambda p: [(-tail, latest) for latest, tail in zip(p.latest, p.tail, strict=True)],
    "slack": lambda p: [
        (latest - alone.finish, -tail)
        for latest, alone, tail in zip(p.latest, p.alone, p.tail, strict=True)
    ],
}
"""Priorities of the activities, the smallest first."""


def _further(
    problem: Problem, seed: int, restarts: int | None
) -> Iterator[tuple[Keys, random.Random | None]]:
    """Yield the other rules, then random priorities."""
    for name, rule in RULES.items():
        if name != "latest finish":
            yield rule(problem), None
    count = len(problem.activities)
    most = min(MOST_RESTARTS, PLACEMENTS // count) if restarts is None else restarts
    chance = random.Random(seed)
    likely = RULES["latest finish"](problem)
    rank = {k: place for place, k in enumerate(sorted(range(count), key=likely.__getitem__))}
    for n in range(most):
        spread = count if n % 2 else count / 4
        yield [(rank[k] + chance.random() * spread, 0.0) for k in range(count)], chance


def _serial(problem: Problem, keys: Keys, chance: random.Random | None = None) -> Sequence[Placed]:
    """Place every activity, by priority and as early as possible."""
    activities, successors = problem.activities, problem.successors
    board = _Board(problem.machines)
    placed: list[Placed] = [_NEVER] * len(activities)
    waits = [len(activity.predecessors) for activity in activities]
    ready = [activity.release for activity in activities]
    turn = sorted(range(len(activities)), key=keys.__getitem__)
    turn.sort(key=[not activity.started for activity in activities].__getitem__)
    rank = [0] * len(turn)
    for place, n in enumerate(turn):
        rank[n] = place
    open_ = [rank[n] for n, count in enumerate(waits) if not count]
    heapq.heapify(open_)
    while open_:
        n = turn[heapq.heappop(open_)]
        placed[n] = board.place(activities[n], ready[n], chance)
        finish = placed[n].finish
        for after in successors[n]:
            if finish > ready[after]:  # noqa: PLR1730 - max() costs more, here and below
                ready[after] = finish
            waits[after] -= 1
            if not waits[after]:
                heapq.heappush(open_, rank[after])
    return placed


class _Board:
    """What of the machines is taken."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self._machines = machines
        self._slots = [_slots(machine) for machine in machines]
        self._amounts: dict[tuple[int, str], Profile] = {}
        self._shared: dict[tuple[int, str, str], Shared] = {}
        self._held: dict[str, Profile] = {}

    def place(self, activity: Activity, ready: float, chance: random.Random | None) -> Placed:
        """Take what an activity needs, where it ends first or, by chance, elsewhere."""
        options = activity.durations
        if chance is not None and len(options) > 1 and chance.random() < ELSEWHERE:
            options = (chance.choice(options),)
        plain = not (activity.demand or activity.shared or activity.exclusive)
        where, start, finish = _NEVER
        for machine, seconds in options:
            if ready + seconds >= finish:
                break  # the others are slower still
            slots = self._slots[machine]
            begin = ready if ready > slots.free_from else slots.free_from  # noqa: FURB136
            if begin + seconds < finish:
                if plain:
                    begin = slots.earliest(ready, seconds, 1.0)
                else:
                    begin = _earliest(self._needed(activity, machine), ready, seconds)
                if begin + seconds < finish:
                    where, start, finish = machine, begin, begin + seconds
        if plain and where >= 0:
            self._slots[where].take(start, finish, 1.0)
        elif where >= 0:
            for profile, amount in self._needed(activity, where):
                profile.take(start, finish, amount)
        return Placed(where, start, finish)

    def _needed(
        self, activity: Activity, machine: int
    ) -> Sequence[tuple[Profile | Shared, float]]:
        """Return what it would take of what, slots first."""
        needed: list[tuple[Profile | Shared, float]] = [(self._slots[machine], 1.0)]
        needed += [(self._amount(machine, kind), amount) for kind, amount in activity.demand]
        for kind, amount, key in activity.shared:
            if (machine, kind, key) not in self._shared:
                self._shared[machine, kind, key] = Shared(self._amount(machine, kind))
            needed.append((self._shared[machine, kind, key], amount))
        held = (self._held.setdefault(name, Profile(1.0)) for name in activity.exclusive)
        return [*needed, *((profile, 1.0) for profile in held)]

    def _amount(self, machine: int, kind: str) -> Profile:
        if (machine, kind) not in self._amounts:
            capacity = self._machines[machine].capacity.get(kind, 0.0)
            self._amounts[machine, kind] = Profile(capacity)
        return self._amounts[machine, kind]


def _earliest(
    needed: Sequence[tuple[Profile | Shared, float]], start: float, seconds: float
) -> float:
    """Return when all of it is free at once for so long."""
    while True:
        begin = start
        for profile, amount in needed:
            begin = profile.earliest(begin, seconds, amount)
        if begin in (start, math.inf):
            return begin
        start = begin
