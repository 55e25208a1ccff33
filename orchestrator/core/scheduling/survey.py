"""What can be planned now: from runs, devices and attempts to plain arrays.

Only what may start is planned: tasks that wait for nothing but each other and running attempts.
What waits for a planner, a person, a fan-out or a device that is away comes in when it is ready.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from orchestrator.core.estimates import remaining_s
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.model import Dependency
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Key, Machine, key_of, serves
from orchestrator.core.scheduling.kept import Basis, Running, Unfinished, Unstarted
from orchestrator.core.scheduling.outlook import Link, Outlook
from orchestrator.core.scheduling.transfers import made_at, size_bytes
from protocol.types import AttemptId, DeviceId, TaskId

UNSTARTED: Final = frozenset({TaskState.WAITING, TaskState.READY})
RUNS: Final = 8  # looked at in every step; with more, devices have enough to do in any order
CELLS: Final = 20_000  # tasks times devices: the first plan takes some 0.1 s then


@dataclass(slots=True)
class Survey:
    """An outlook, and what its numbers stand for."""

    tasks: list[Unstarted]
    machines: list[Machine]
    outlook: Outlook


def basis_of(board: Board) -> Basis | None:
    """Return what a plan stands and falls with; None if there is nothing to plan, or too much."""
    if not 0 < len(board.live) <= RUNS:
        return None
    runs = [board.runs[name] for name in board.live]
    if sum(len(run.tasks) for run in runs) * len(board.machines) > CELLS:
        return None
    marks = [(r.submitted.run, r.revision, r.created, r.paused) for r in runs]
    return (board.plan.fleet, *marks)


def unstarted(run: Unfinished) -> Iterator[Unstarted]:
    """Yield the tasks of a run that may be planned, each after those that it waits for.

    Kahn 1962, as if those that cannot be planned never ended.
    """
    open_count: dict[TaskId, int] = {}
    after: dict[TaskId, list[Unstarted]] = {}
    free: list[Unstarted] = []
    for task in run.tasks.values():
        if task.state not in UNSTARTED or (task.spec.for_each and task.parent is None):
            continue
        before = [e.predecessor for e in task.incoming if _is_open(run, e)]
        open_count[task.spec.id] = len(before)
        for name in before:
            after.setdefault(name, []).append(task)
        if not before:
            free.append(task)
    for task in free:
        yield task
        for successor in after.get(task.spec.id, ()):
            open_count[successor.spec.id] -= 1
            if not open_count[successor.spec.id]:
                free.append(successor)


def _is_open(run: Unfinished, edge: Dependency) -> bool:
    before = run.tasks[edge.predecessor]
    return before.state not in FINAL and before.live is None


def survey(board: Board, tasks: Iterable[Unstarted], now: float) -> Survey:
    """Look at these tasks, each after its predecessors, and at all devices that take work."""
    machines = sorted(
        (m for m in board.machines.values() if m.available and m.card.slots > 0),
        key=lambda machine: machine.order,
    )
    return _Surveyor(board, machines, now).look(tasks)


class _Surveyor:
    def __init__(self, board: Board, machines: list[Machine], now: float) -> None:
        self._board = board
        self._machines = machines
        self._now = now
        self._names = [machine.card.device for machine in machines]
        self._paces: dict[Key, list[float]] = {}
        self._rates: dict[DeviceId, list[float]] = {}
        self._place: dict[int, int] = {}
        self._none = [0.0] * len(machines)
        """Shared by all that waits for nothing: nobody writes into it."""

    def look(self, tasks: Iterable[Unstarted]) -> Survey:
        ahead = self._board.plan.ahead
        rates = [self._per_byte(name) for name in self._names]
        free = [self._free(machine) for machine in self._machines]
        outlook = Outlook([], [], [], [], [], rates, free, ahead)
        kept: list[Unstarted] = []
        runs = self._board.runs
        for task in tasks:
            cost = self._cost(task)
            if min(cost, default=inf) < inf and self._inputs(outlook, runs[task.run], task):
                outlook.cost.append(cost)
                self._place[id(task)] = len(kept)
                kept.append(task)
        return Survey(kept, self._machines, outlook)

    def _cost(self, task: Unstarted) -> list[float]:
        key = key_of(task)
        paces = self._paces.get(key)
        estimates = self._board.estimates
        if paces is None:
            paces = self._paces[key] = [
                estimates.pace(key[0], m.card.device, speed=m.card.speed)
                if serves(m, key)
                else inf
                for m in self._machines
            ]
        each_s = max(estimates.reference(key[0], task.spec.estimate_s), 1e-12)
        return [each_s * pace for pace in paces]

    def _inputs(self, outlook: Outlook, run: Unfinished, task: Unstarted) -> bool:
        """Note when a task's inputs are where; False if it waits for what is not planned."""
        there = send = self._none
        done, links = 0.0, list[Link]()
        source: DeviceId | None
        for edge in task.incoming:
            before = run.tasks[edge.predecessor]
            if before.live is not None:
                end, attempt = self._first(before)
                since, source = end - self._now, attempt.device
            elif before.state in FINAL:
                since, source = 0.0, before.where
            elif id(before) in self._place:
                links.append((self._place[id(before)], edge.size_bytes or 0.0))
                continue
            else:
                return False
            done = max(done, since)
            if outlook.ahead:
                there = self._sent_ahead(edge, before, source, since, there)
            else:
                send = self._fetched(edge, before, source, send)
        outlook.predecessors.append(links)
        outlook.there.append(there)
        outlook.send.append(send)
        outlook.done.append(done)
        return True

    def _fetched(
        self, edge: Dependency, before: Unstarted, source: DeviceId | None, send: list[float]
    ) -> list[float]:
        """Return how long inputs take with one more, all of them fetched by who has a slot."""
        size = size_bytes(self._board.plan, edge, before)
        if not size or source is None:
            return send
        rates = self._per_byte(source)
        return [max(known, size * rate) for known, rate in zip(send, rates, strict=True)]

    def _sent_ahead(
        self,
        edge: Dependency,
        before: Unstarted,
        source: DeviceId | None,
        since: float,
        there: list[float],
    ) -> list[float]:
        """Return when inputs are there with one more, that counts from when it was sent."""
        plan, now = self._board.plan, self._now
        size = size_bytes(plan, edge, before)
        lives = before.live is not None
        made = since if lives else made_at(plan, before, now) - now
        rates = self._per_byte(source) if size and source is not None else self._none
        if not any(rates):
            return [max(known, made) for known in there] if made > 0.0 else there
        sent: Mapping[DeviceId, float] = plan.since.get((before.run, edge.successor), {})
        came = []
        # Comparisons are three times as fast as max(), and a repair spends most of its time here.
        for device, rate, known in zip(self._names, rates, there, strict=True):
            arrives = made
            if rate and not lives:
                arrives = sent.get(device, now) - now
                if arrives < made:  # noqa: PLR1730
                    arrives = made
            arrives += size * rate
            came.append(arrives if arrives > known else known)  # noqa: FURB136
        return came

    def _per_byte(self, source: DeviceId) -> list[float]:
        rates = self._rates.get(source)
        if rates is None:
            links = self._board.estimates.links
            rates = self._rates[source] = [links.per_byte(source, name) for name in self._names]
        return rates

    def _free(self, machine: Machine) -> list[float]:
        """Return when each slot is free, least first, in seconds from now."""
        ends = sorted(max(0.0, self._over(name) - self._now) for name in machine.attempts)
        slots = machine.card.slots
        return [0.0] * (slots - len(ends)) + ends[-slots:]

    def _over(self, name: AttemptId) -> float:
        """Return when an attempt may be expected to end, or to be told to stop."""
        attempt = self._board.attempts[name]
        task = self._board.runs[attempt.run].tasks.get(attempt.task)
        if task is None or task.hedge is None or name not in (task.live, task.hedge):
            return self._end(attempt)
        return self._first(task)[0]

    def _first(self, task: Unstarted) -> tuple[float, Running]:
        """Return which of a task's live attempts may be expected to end first, and when."""
        names = (name for name in (task.live, task.hedge) if name is not None)
        both = [self._board.attempts[name] for name in names]
        return min(((self._end(one), one) for one in both), key=lambda each: each[0])

    def _end(self, attempt: Running) -> float:
        """Return when an attempt may be expected to end."""
        name, now = (attempt.run, attempt.task), self._now
        if attempt.started_at is None:
            begin, _ = self._board.plan.offered.get(name, (now, 0.0))
            return max(begin, now) + attempt.estimate_s
        began = attempt.started_at
        if name in self._board.plan.offered:  # a device that starts a task may wait for its inputs
            began = max(began, self._board.plan.offered[name][0])
        return max(began, now) + remaining_s(attempt.estimate_s, now - began)


def runs_in_turn(board: Board) -> Sequence[Unfinished]:
    """Return the runs that may be planned, in the order in which they are served."""
    runs = [board.runs[name] for name in board.live if not board.runs[name].paused]
    return sorted(runs, key=lambda run: (-run.submitted.priority, run.arrival))
