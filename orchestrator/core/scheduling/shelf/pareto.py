"""Pareto: time, energy and money, weighed against each other.

Rule: of the devices with room, the least `time * s + energy * J + money * price`, with s the
seconds until the task ends there. A device's labels say what it draws (`watts`) and costs
(`price`, for an hour); what is not said, or is no number, counts as 0. Privacy is no weight but a
hard constraint: a task that needs a label, such as `zone = home`, never goes where it is missing.
Source: weighted sums as in mobile edge computing (Mao, You, Zhang, Huang, Letaief, A survey on
mobile edge computing, IEEE Communications Surveys & Tutorials 19(4), 2017).
Promises: no other device with room is better in one of the three and no worse in the others.
Costs: O(devices with room) a placement.
Use it: where devices run on batteries, or are paid for by the hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Final

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Machine, Room, Waiting
from orchestrator.core.scheduling.shelf.common.rooms import spread

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much; all > 0, so that nothing is worse for nothing."""

    time: float = 1.0
    """A second."""
    energy: float = 0.01
    """A joule: a device of 100 W has to be twice as fast as one that draws nothing."""
    money: float = 1000.0
    """A unit of money: an hour of 3.60 is as bad as each of its seconds being two."""


DEFAULT_WEIGHTS: Final = Weights()


def place(board: Board, now: float, weights: Weights = DEFAULT_WEIGHTS) -> Iterator[Placement]:
    """Yield placements for what changed."""

    def cheapest(demand: Demand, task: Waiting, rooms: list[Room]) -> Room:
        scale = board.scale(demand, task)
        return min(rooms, key=lambda room: (_cost(weights, room, scale), room[2]))

    return spread(board, now, cheapest)


def _cost(weights: Weights, room: Room, scale: float) -> float:
    machine = room[3]
    watts, price = _label(machine, "watts"), _label(machine, "price") / HOUR_S
    return room[0] * scale * (weights.time + weights.energy * watts + weights.money * price)


def _label(machine: Machine, name: str) -> float:
    """Return a number that a device says of itself; 0 if it says none from 0 on."""
    try:
        value = float(machine.card.labels.get(name, "0"))
    except ValueError:
        return 0.0
    return value if isfinite(value) and value >= 0.0 else 0.0
