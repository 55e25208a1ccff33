"""Waiting tasks in the order of a rule, for policies that choose who goes next.

A `Rule` sorts the tasks of each demand into groups (users, runs, or all of them); `within` orders
a group for good, and `turn` orders groups by their first tasks. A turn may grow while it waits:
it is looked at again when it comes up (the lazy evaluation of Minoux, Accelerated greedy
algorithms, 1978). So a decision costs O(log n) amortised, whatever waits. It may fall only as one
of its group goes: then it is looked at wherever else the group waits.

What goes is the first that there is room for; it goes to the device that finishes it soonest,
unless the rule says otherwise. Nothing waits while there is room for it.
"""

import heapq
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Key, Placeable, Room, Waiting
from orchestrator.core.scheduling.kept import Name, Plan, Unfinished
from orchestrator.core.scheduling.shelf.common.rooms import Turn, merged, put

Entry: TypeAlias = tuple[Turn, int, Waiting]
"""(place in its group, ticket, task); stale when the task has another ticket."""
SPARE: Final = 1024  # entries beyond twice what was left last time, before all are looked at


class Rule:
    """Who goes next. As it stands: by priority, arrival of the run, upward rank."""

    falls = False
    """Whether a group's turns may fall in every demand when one of its tasks goes."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def group(self, task: Waiting, now: float) -> Hashable:  # noqa: ARG002 - see subclasses
        """Return the group of a task; asked again when it is the first there."""
        return ""

    def within(self, task: Waiting, now: float) -> Turn:  # noqa: ARG002 - see subclasses
        """Return the place of a task in its group as it comes there; it does not change."""
        run = self.run(task)
        return (-run.submitted.priority, run.arrival, -task.rank, task.sequence)

    def turn(self, task: Waiting, now: float) -> Turn:
        """Return the turn of a group whose first task this is."""
        return self.within(task, now)

    def room(self, demand: Demand, task: Waiting, best: Room, now: float) -> Room | None:  # noqa: ARG002
        """Return where a task goes; None: not now. `best` is where it would end soonest."""
        return best

    def came(self, task: Waiting) -> None:
        """Note that a task waits now."""

    def placed(self, task: Waiting) -> None:
        """Note that a task goes to a device."""

    def run(self, task: Waiting) -> Unfinished:
        """Return the run of a task."""
        return self.board.runs[task.run]


@dataclass(slots=True)
class _Line:
    """The tasks of one demand, by group."""

    groups: dict[Hashable, list[Entry]] = field(default_factory=dict)
    turns: list[tuple[Turn, int, Hashable]] = field(default_factory=list)
    stands: dict[Hashable, tuple[Turn, int]] = field(default_factory=dict)
    """Which entry of `turns` counts for a group."""
    served: dict[Hashable, None] = field(default_factory=dict)
    """Groups that had a turn: their next may be sooner than they stand."""


class Lines(Plan):
    """What waits, in the order of a rule. It is the board's plan: so it hears of every task."""

    __slots__ = ("_bound", "_fresh", "_held", "_lines", "_number", "rule")

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self._lines: dict[Key, _Line] = {}
        self._fresh: list[Name] = []
        self._number = self._held = 0
        self._bound = SPARE

    def added(self, task: Placeable) -> None:
        """Note that a task waits for a device."""
        self._fresh.append((task.run, task.spec.id))

    def take_in(self, now: float) -> None:
        """Put what came since the last time into its line."""
        fresh, self._fresh = self._fresh, []
        for run, name in fresh:
            row = self.rule.board.runs.get(run)
            task = row.tasks.get(name) if row is not None else None
            if task is not None and task.demand is not None:
                line = self._lines.setdefault(task.demand.key, _Line())
                self.rule.came(task)
                self._put(line, task, now)
        if self._held > self._bound:
            self._sweep()

    def first(self, demand: Demand, now: float) -> Turn | None:
        """Return the turn of the first task of a demand."""
        line = self._lines.get(demand.key)
        top = self._top(line, now) if line is not None else None
        if top is None:
            self._lines.pop(demand.key, None)
            return None
        return top[0]

    def next(self, demand: Demand, now: float) -> Placement | None:
        """Return where the first task of a demand goes that there is room for."""
        best, line = self.rule.board.best(demand, now), self._lines.get(demand.key)
        if best is None or line is None:
            return None
        passed = []
        placement = None
        while placement is None and (top := self._top(line, now)) is not None:
            room = self.rule.room(demand, top[1], best, now)
            if room is None:
                passed.append(heapq.heappop(line.turns))
            else:
                placement = put(self.rule.board, demand, top[1], room)
                self.rule.placed(top[1])
                self._served(line, line.turns[0][2])
        for each in passed:
            heapq.heappush(line.turns, each)
        return placement

    def _served(self, line: _Line, group: Hashable) -> None:
        for each in self._lines.values() if self.rule.falls else (line,):
            if group in each.groups:
                each.served[group] = None

    def _put(self, line: _Line, task: Waiting, now: float) -> None:
        self._held += 1
        group = self.rule.group(task, now)
        entries = line.groups.setdefault(group, [])
        entry = (self.rule.within(task, now), task.ticket, task)
        heapq.heappush(entries, entry)
        if entries[0] is entry:
            self._stand(line, group, self.rule.turn(task, now))

    def _stand(self, line: _Line, group: Hashable, turn: Turn) -> None:
        self._number += 1
        line.stands[group] = turn, self._number
        heapq.heappush(line.turns, (turn, self._number, group))

    def _top(self, line: _Line, now: float) -> tuple[Turn, Waiting] | None:
        while line.served:
            group, _ = line.served.popitem()
            task = self._head(line, group, now) if group in line.groups else None
            if task is not None and (sooner := self.rule.turn(task, now)) < line.stands[group][0]:
                self._stand(line, group, sooner)
        while line.turns:
            turn, number, group = line.turns[0]
            if line.stands.get(group) != (turn, number):
                heapq.heappop(line.turns)
                continue
            task = self._head(line, group, now)
            if task is None:
                heapq.heappop(line.turns)
                continue
            actual = self.rule.turn(task, now)
            if actual <= turn:
                return actual, task
            heapq.heappop(line.turns)
            self._stand(line, group, actual)
        return None

    def _head(self, line: _Line, group: Hashable, now: float) -> Waiting | None:
        """Return the first of a group, after what is stale or belongs elsewhere has left it."""
        entries = line.groups[group]
        while entries:
            entry = entries[0]
            if entry[1] == entry[2].ticket:
                if self.rule.group(entry[2], now) == group:
                    return entry[2]
                self._put(line, entry[2], now)
            heapq.heappop(entries)
            self._held -= 1
        del line.groups[group], line.stands[group]
        return None

    def _sweep(self) -> None:
        """Drop what is stale: O(1) amortised."""
        for line in self._lines.values():
            for entries in line.groups.values():
                entries[:] = [each for each in entries if each[1] == each[2].ticket]
                heapq.heapify(entries)
        self._held = sum(len(e) for line in self._lines.values() for e in line.groups.values())
        self._bound = 2 * self._held + SPARE


def by_rule(board: Board, now: float, make: Callable[[Board], Rule]) -> Iterator[Placement]:
    """Yield placements for what changed, in the order of a rule."""
    lines = board.plan
    if not isinstance(lines, Lines):
        lines = Lines(make(board))
        for demand in board.demands():  # what waits already
            for _, ticket, task in sorted(demand.queue, key=lambda each: each[1]):
                if ticket == task.ticket:
                    lines.added(task)
        board.plan = lines
    lines.take_in(now)
    return merged(board, lambda each: lines.first(each, now), lambda each: lines.next(each, now))
