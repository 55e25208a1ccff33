"""Tasks into devices at once: slots and memory, by priority; and an exact search for the best.

The best answer places as many as possible of the first tier, then of the next, and so on; of such
answers it is the one that moves the fewest from where a first answer had them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeAlias

from protocol.types import Resource

NODES: Final = 2_000  # of the search: some 0.1 s
NOWHERE: Final = -1
ROUNDING: Final = 1e-9

Score: TypeAlias = tuple[int, ...]
"""Placed of each tier, and moves made, negative: the greater the better."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What is to be placed, and the room there is. Tasks and devices are numbers."""

    tier: Sequence[int]
    """Of each task, from 0, the highest, on; they do not fall."""
    choices: Sequence[Sequence[int]]
    """Of each task, the devices that can take it, best first."""
    loads: Sequence[Sequence[Mapping[Resource, float]]]
    """Of each task, as `choices`: what would have to be warm there and is not in use yet."""
    slots: Sequence[int]
    memory: Sequence[Mapping[str, float]]
    """Of each device, what may be loaded of each kind."""


class Packed(NamedTuple):
    """A device for each task, or `NOWHERE`, and whether that is proven to be the best."""

    device: Sequence[int]
    proven: bool


class Solver(Protocol):
    """Whoever finds the best packing, in a bounded time that does not depend on a clock."""

    def __call__(self, packing: Packing, first: Sequence[int]) -> Packed:
        """Return the best found, at least as good as `first`."""


class _Room:
    """What is left of the devices while tasks are put in and taken out again."""

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self.slots = list(packing.slots)
        self._memory = [dict(kinds) for kinds in packing.memory]
        self._users: dict[tuple[int, Resource], int] = {}

    def put(self, task: int, choice: int) -> bool:
        """Charge a device with a task, if there is room."""
        device = self._packing.choices[task][choice]
        loads, memory = self._packing.loads[task][choice], self._memory[device]
        cold = {name: size for name, size in loads.items() if (device, name) not in self._users}
        wanted: dict[str, float] = {}
        for name, size in cold.items():
            wanted[name.kind] = wanted.get(name.kind, 0.0) + size
        if self.slots[device] < 1 or any(
            size > memory.get(kind, 0.0) * (1.0 + ROUNDING) for kind, size in wanted.items()
        ):
            return False
        self.slots[device] -= 1
        for name in loads:
            self._users[device, name] = self._users.get((device, name), 0) + 1
        for kind, size in wanted.items():
            memory[kind] -= size
        return True

    def take(self, task: int, choice: int) -> None:
        """Undo `put`."""
        device = self._packing.choices[task][choice]
        self.slots[device] += 1
        for name, size in self._packing.loads[task][choice].items():
            self._users[device, name] -= 1
            if not self._users[device, name]:
                del self._users[device, name]
                self._memory[device][name.kind] += size


def first_fit(packing: Packing) -> list[int]:
    """Give each task, in order, its best device that has room left: the heuristic."""
    room = _Room(packing)
    return [
        next((d for n, d in enumerate(devices) if room.put(task, n)), NOWHERE)
        for task, devices in enumerate(packing.choices)
    ]


def score(packing: Packing, device: Sequence[int], first: Sequence[int]) -> Score:
    """Return how good an answer is."""
    placed = [0] * (max(packing.tier, default=-1) + 1)
    for task, where in enumerate(device):
        placed[packing.tier[task]] += where != NOWHERE
    moves = sum(was not in {NOWHERE, now} for was, now in zip(first, device, strict=True))
    return (*placed, -moves)


def solve(packing: Packing, first: Sequence[int], nodes: int = NODES) -> Packed:
    """Search depth first, and prune what cannot be better (Land, Doig, Econometrica 28, 1960).

    Within a tier who has the fewest choices comes first (Haralick, Elliott, Artificial
    Intelligence 14, 1980): so a search that is cut off has found more.
    """
    return _Search(packing, first, nodes).run()


class _Search:
    def __init__(self, packing: Packing, first: Sequence[int], nodes: int) -> None:
        self._packing, self._first, self._nodes = packing, first, nodes
        self._room = _Room(packing)
        self._order = sorted(range(len(first)), key=self._turn)
        self._device = [NOWHERE] * len(first)
        self._best, self._score = list(first), score(packing, first, first)
        self._tiers = len(self._score) - 1
        self._open = [packing.tier.count(tier) for tier in range(self._tiers)]

    def run(self) -> Packed:
        self._descend(0, [0] * self._tiers, 0)
        return Packed(self._best, proven=self._nodes > 0)

    def _turn(self, task: int) -> tuple[int, int, int]:
        return self._packing.tier[task], len(self._packing.choices[task]), task

    def _descend(self, depth: int, placed: list[int], moves: int) -> None:
        self._nodes -= 1
        if self._nodes <= 0 or self._bound(placed, moves) <= self._score:
            return
        if depth == len(self._order):
            self._best = list(self._device)
            self._score = (*placed, -moves)
            return
        task = self._order[depth]
        tier, was = self._packing.tier[task], self._first[task]
        self._open[tier] -= 1
        placed[tier] += 1
        for choice, device in self._choices(task):
            if self._room.put(task, choice):
                self._device[task] = device
                self._descend(depth + 1, placed, moves + (was not in {NOWHERE, device}))
                self._room.take(task, choice)
        placed[tier] -= 1
        self._device[task] = NOWHERE
        self._descend(depth + 1, placed, moves + (was != NOWHERE))
        self._open[tier] += 1

    def _choices(self, task: int) -> list[tuple[int, int]]:
        """Return the choices for a task, where it was first before others."""
        was = self._first[task]
        return sorted(enumerate(self._packing.choices[task]), key=lambda each: each[1] != was)

    def _bound(self, placed: Sequence[int], moves: int) -> Score:
        """Return what could be reached if memory were no matter, nor which slot is whose."""
        slots, most = sum(self._room.slots), []
        for done, waiting in zip(placed, self._open, strict=True):
            more = min(waiting, slots)
            slots -= more
            most.append(done + more)
        return (*most, -moves)
