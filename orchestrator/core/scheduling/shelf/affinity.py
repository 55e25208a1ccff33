"""Affinity: what uses the same warm resource meets on the same two devices.

Rule: two devices for each resource, of those that can take its tasks. The task goes to the better
of the two: the one where it is warm, or else the emptier. It waits for one that is busy as long as
that would finish it sooner, reloads included; if both are, and would not, it goes elsewhere. Tasks
that need nothing warm go where they end soonest.
Source: DualMap (Yuan, Zuo, Wang, Zhang, Zhou, Yu, ICLR 2026, arXiv 2602.06502). Deviations: the
two are the first two by rendezvous hashing (Thaler, Ravishankar, IEEE/ACM Transactions on
Networking 6(1), 1998), which needs no ring and moves as little; the budget of a start is what the
next best device takes; nothing migrates: what waits here was not sent yet.
Promises: of n devices one more changes the pair of 2 in n + 1 resources, and no other.
Costs: O(devices) a placement.
Use it: for 8 interchangeable devices and more; with fewer, `earliest_finish` finds what is warm.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import nlargest
from math import inf

from orchestrator.core.chance import unit
from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Room, Waiting
from orchestrator.core.scheduling.shelf.common.rooms import free_in_s, spread
from protocol.types import DeviceId, Resource


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""

    def at_home(demand: Demand, _task: Waiting, rooms: list[Room]) -> Room | float:
        if not demand.needs:
            return rooms[0]
        there = [name for name, machine in demand.machines.items() if machine.available]
        pair = pair_of(main_of(demand), there)
        # What a reload takes may have been learned since the board looked.
        fresh = sorted((board.seconds(demand, room[3]), *room[1:]) for room in rooms)
        home = [room for room in fresh if room[3].card.device in pair]
        chosen = home[0] if home else fresh[0]
        busy = [demand.machines[name] for name in pair if demand.machines[name].free <= 0]
        ends_s = (free_in_s(machine, now) + board.seconds(demand, machine) for machine in busy)
        return now + chosen[0] if min(ends_s, default=inf) < chosen[0] else chosen

    return spread(board, now, at_home)


def main_of(demand: Demand) -> Resource:
    """Return the largest resource that a demand needs; ties by name."""
    return max(demand.needs, key=lambda name: (demand.needs[name], name[:2]))


def pair_of(name: Resource, devices: Iterable[DeviceId]) -> list[DeviceId]:
    """Return the two devices that a resource belongs to; fewer if there are not two."""
    return nlargest(2, devices, key=lambda device: (_pull(name, device), device))


@lru_cache(maxsize=1 << 16)
def _pull(name: Resource, device: DeviceId) -> float:
    return unit(0, f"{name.kind}/{name.key}/{name.run} on {device}", 0)
