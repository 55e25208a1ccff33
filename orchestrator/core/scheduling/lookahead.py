"""HEFT with look-ahead over one level: another plan that a search may start from.

A task goes to the device from which the last of its children could be done first (Bittencourt,
Sakellariou, Madeira: DAG scheduling using a lookahead variant of the heterogeneous earliest finish
time algorithm, PDP 2010, section III). Where transfers take as long as tasks do, this is worth
10 to 20 % over HEFT. Deviations: each child is looked at alone, behind what its device has to do
so far, and what it takes in a slot to fetch counts as a transfer before: so a look costs no
insertion. Ties, and tasks without children, go by the task's own finish time.
"""

from collections.abc import Sequence
from math import inf
from typing import TypeAlias

from orchestrator.core.scheduling.listing import Lane, gap, occupy
from orchestrator.core.scheduling.outlook import Link, Outlook, Schedule, arrivals, by_start

Place: TypeAlias = tuple[float, float, float, int]
"""When a child could be done on a device, from when on, how long it takes, and which."""


def looking_ahead(outlook: Outlook, order: Sequence[int]) -> Schedule:
    """Place tasks in order: O(dependencies · devices²), and a look at the gaps."""
    return _Plan(outlook).filled(order)


class _Plan:
    """Tasks that are placed so far."""

    def __init__(self, outlook: Outlook) -> None:
        self._outlook = outlook
        self._finish = [0.0] * len(outlook.cost)
        self._device = [0] * len(outlook.cost)
        self._lanes: list[list[Lane]] = [
            [[(0.0, free)] for free in slots] for slots in outlook.free
        ]
        self._idle = [slots[0] for slots in outlook.free]
        """By device, when it has a slot for good."""
        self._came = (
            [row.copy() for row in outlook.there]
            if outlook.ahead
            else [[done] * len(outlook.free) for done in outlook.done]
        )
        """By task and device: when what is made of its inputs so far is there."""
        self._children: list[list[Link]] = [[] for _ in outlook.cost]
        for child, before in enumerate(outlook.predecessors):
            for task, size in before:
                self._children[task].append((child, size))

    def filled(self, order: Sequence[int]) -> Schedule:
        for task in order:
            self._place(task)
        found = Schedule(max(self._finish), order, self._device, self._finish)
        return by_start(self._outlook, found)

    def _place(self, task: int) -> None:
        outlook = self._outlook
        came, bring = arrivals(outlook, task, self._device, self._finish)
        children = self._seen(task)
        best, chosen = (inf, inf), (0, 0, 0.0)
        for here in outlook.devices:
            takes = bring[here] + outlook.cost[task][here]
            if takes < inf:
                lanes = enumerate(self._lanes[here])
                at, lane = min((gap(busy, came[here], takes), n) for n, busy in lanes)
                done = at + takes
                value = self._last_child(children, here, done, best[0]), done
                if value < best:
                    best, chosen = value, (here, lane, at)
        here, lane, at = chosen
        self._take(task, here, lane, at, best[1])

    def _take(self, task: int, here: int, lane: int, at: float, done: float) -> None:
        self._device[task], self._finish[task] = here, done
        occupy(self._lanes[here][lane], at, done)
        self._idle[here] = min(busy[-1][1] for busy in self._lanes[here])
        rates = self._outlook.per_byte[here]
        for child, size in self._children[task]:
            came = self._came[child]
            self._came[child] = [
                max(known, done + size * rate) for known, rate in zip(came, rates, strict=True)
            ]

    def _seen(self, task: int) -> list[tuple[float, list[Place]]]:
        """Return of each child what is to come, and its places, by when it could be done there."""
        found = []
        for child, size in self._children[task]:
            rows = zip(self._came[child], self._idle, self._outlook.cost[child], strict=True)
            free = [(max(came, idle), cost) for came, idle, cost in rows]
            places = [(at + cost, at, cost, there) for there, (at, cost) in enumerate(free)]
            found.append((size, sorted(places)))
        return found

    def _last_child(
        self, children: Sequence[tuple[float, list[Place]]], here: int, done: float, limit: float
    ) -> float:
        """Return when the last child could be done if its parent is, there and then.

        What is over `limit` need not be exact.
        """
        rates, latest = self._outlook.per_byte[here], done
        for size, places in children:
            least = inf
            for soonest, at, cost, there in places:
                if soonest >= least:
                    break  # and so are all that follow
                came = done + size * rates[there]
                # Comparisons are three times as fast as max(), and most of all planning is here.
                if came < at:  # noqa: PLR1730
                    came = at
                if came + cost < least:  # noqa: PLR1730
                    least = came + cost
            if least > latest:
                latest = least
                if latest > limit:
                    break
        return latest
