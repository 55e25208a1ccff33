"""Placement: which ready task goes to which device, and which may wait for a better one.

A policy is one file with one `Place` function over the `board`, an index that follows the state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Machine, Waiting

__all__ = ["Board", "Machine", "Place", "Placement", "Waiting"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Put this task on this device now."""

    task: Waiting
    device: Machine
    estimate_s: float


class Place(Protocol):
    """A scheduling policy.

    Called when something changed (`board.changed` says what); yields placements best first. Each
    is applied to the board before the next is drawn. Its cost follows what changed, not the fleet.
    """

    def __call__(self, board: Board, now: float) -> Iterator[Placement]:
        """Yield what to place at `now` (elapsed seconds)."""
