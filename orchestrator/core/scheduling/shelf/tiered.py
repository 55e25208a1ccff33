"""Tiered: easy tasks on devices, harder ones at the edge, the hardest in the cloud.

Rule: a device's label `tier` is `device`, `edge` or `cloud`; without it, it is a `device`. How
long a task takes says how hard it is, and so the lowest tier that may try it; each tier whose
device it has failed on, in a check too, is too low. Of what is high enough the lowest tier with
room is taken, and there the device that finishes soonest. Where the fleet has nothing high enough,
the highest that is there counts as high enough.
Source: model cascades (Chen, Zaharia, Zou, FrugalGPT, arXiv 2305.05176, 2023) over the tiers of a
device-edge-cloud continuum. Deviation: nothing learned judges an answer: an attempt failed or not.
Promises: nothing goes lower than its tier, or higher while there is room in it, nor does a hedge;
a task that failed goes higher.
Costs: O(devices with room) a placement, thrice where tiers are full.
Use it: where tiers differ in what they cost and in what they can.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import (
    Demand,
    Machine,
    Placeable,
    Room,
    Waiting,
    key_of,
    serves,
)
from orchestrator.core.scheduling.shelf.common.rooms import rooms
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule
from protocol.types import Effect

TIERS: Final = ("device", "edge", "cloud")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Up to how many seconds on a reference device a task is easy enough for a tier."""

    device_s: float = 10.0
    edge_s: float = 60.0


DEFAULT_BOUNDS: Final = Bounds()


class _Tiered(Rule):
    def __init__(self, board: Board, bounds: Bounds) -> None:
        super().__init__(board)
        self._bounds = bounds

    def group(self, task: Waiting, now: float) -> int:  # noqa: ARG002 - it stays as hard
        return _hard(self.board, task, self._bounds)

    def room(self, demand: Demand, task: Waiting, best: Room, now: float) -> Room | None:  # noqa: ARG002 - not its tier
        least = _least(self.board, task, self._bounds, demand.machines.values())
        found = [room for room in rooms(self.board, demand, now) if tier_of(room[3]) >= least]
        return min(found, key=lambda room: (tier_of(room[3]), *room[:3]), default=None)


def tier_of(machine: Machine) -> int:
    """Return how high a device's tier is."""
    label = machine.card.labels.get("tier", "")
    return TIERS.index(label) if label in TIERS else 0


def _hard(board: Board, task: Placeable, bounds: Bounds) -> int:
    spec = task.spec
    seconds = board.estimates.reference(spec.skill, spec.estimate_s)
    return (seconds > bounds.device_s) + (seconds > bounds.edge_s)


def _least(board: Board, task: Placeable, bounds: Bounds, fleet: Iterable[Machine]) -> int:
    """Return the lowest tier that is high enough, given the devices that could take a task."""
    known = board.machines
    failed = [tier_of(known[name]) + 1 for name in task.excluded if name in known]
    there = [tier_of(m) for m in fleet if m.available and m.card.slots > 0]
    return min(max([_hard(board, task, bounds), *failed]), max(there, default=0))


def eligible(
    board: Board, bounds: Bounds, task: Placeable, machines: Sequence[Machine]
) -> Sequence[Machine]:
    """Return those of some devices that a copy of a task may go to. O(fleet).

    Those are of the lowest tier that is high enough and has room for one, if any of them is.
    """
    if not machines:
        return machines
    key = key_of(task)
    fleet = [machine for machine in board.machines.values() if serves(machine, key)]
    least = _least(board, task, bounds, fleet)
    tiers = (tier_of(m) for m in fleet if tier_of(m) >= least and _takes_copy(board, m, task))
    lowest = min(tiers, default=None)
    return [machine for machine in machines if tier_of(machine) == lowest]


def _takes_copy(board: Board, machine: Machine, task: Placeable) -> bool:
    """Tell whether a device idles, would stop a copy, where two are harmless, and has none."""
    mine, spec = (task.run, task.spec.id), task.spec
    there = (board.attempts[name] for name in machine.attempts)
    return (
        board.idles(machine)
        and machine.card.extension
        and (spec.effect or machine.skills[spec.skill].effect) is not Effect.ONCE
        and all((attempt.run, attempt.task) != mine for attempt in there)
    )


def place(board: Board, now: float, bounds: Bounds = DEFAULT_BOUNDS) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, partial(_Tiered, bounds=bounds))
