"""Room for warm resources: what a demand would wait for on a device, and who waits already.

A cold task waits behind those of earlier runs that wait for the same kind of memory on the device:
what is evictable goes to them first. What is warm there costs no memory and waits for nobody, up
to an ageing bound: who has waited for so long is not overtaken any more, and takes what is kept
for later consumers alone. What is protected for a use to come stays protected.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf
from typing import Final, Protocol, TypeAlias

from orchestrator.core.retention.keys import LoadTimes
from orchestrator.core.retention.warm_set import Admission, Admitted, Waits, WarmSet
from protocol.types import DeviceCard, DeviceId, Resource

AGED_S: Final = 60.0  # many reloads, and yet a small part of a queue limit


class Holder(Protocol):
    """A device, as far as its memory goes."""

    @property
    def card(self) -> DeviceCard: ...  # noqa: D102
    @property
    def warm(self) -> WarmSet: ...  # noqa: D102
    @property
    def attempts(self) -> Collection[object]: ...  # noqa: D102


class Wanting(Protocol):
    """A demand, as far as it needs warm resources."""

    @property
    def needs(self) -> Mapping[Resource, float]: ...  # noqa: D102
    def turn(self) -> tuple[float, ...] | None:
        """Return the place of its first task among all that wait; None if none waits."""

    def since(self) -> float:
        """Return when its first task became ready; `inf` if none waits."""


Parked: TypeAlias = dict[int, Wanting]


class Memory:
    """Who waits for memory, by device.

    Args:
        loads: what a reload costs.
        attempts: all that devices are charged with: without any, who waits would do so for ever.
        needing: the demands that need a resource.
    """

    __slots__ = ("_attempts", "_loads", "_needing", "_parked")

    def __init__(
        self,
        loads: LoadTimes,
        attempts: Collection[object],
        needing: Callable[[Resource], Iterable[Wanting]],
    ) -> None:
        self._loads = loads
        self._needing = needing
        self._attempts = attempts
        self._parked: dict[DeviceId, Parked] = {}

    @property
    def deadlocked(self) -> bool:
        """Whether nothing runs anywhere."""
        return not self._attempts

    def plan(self, holder: Holder, demand: Wanting, now: float) -> Admission:
        """Return what an attempt would have to wait for, or load and evict.

        Where nothing runs anywhere, or nothing runs here and everything is kept for somebody who
        waits here himself, the head of the queue gets what it needs. Who has waited for `AGED_S`
        gets what is kept for later consumers alone.
        """
        needs, later = demand.needs, self._later(demand, holder) if _aged(demand, now) else ()
        answer = holder.warm.plan(needs, now, deadlocked=self.deadlocked, yielding=later)
        if isinstance(answer, Waits) and answer.until == inf and not holder.attempts:
            return holder.warm.plan(needs, now, deadlocked=True)
        return answer

    def reload_s(self, demand: Wanting, holder: Holder) -> float:
        """Return what loading takes that is not warm on a device."""
        return sum(
            self._loads.reload_s(name.kind, holder.card.device)
            for name in demand.needs
            if name not in holder.warm
        )

    def wait(self, demand: Wanting, holder: Holder, now: float) -> float | None:
        """Return when to ask again for room, `inf` at a change; None: there is room now."""
        match self.plan(holder, demand, now):
            case Admitted(loads=loads):
                behind = self._is_behind(demand, holder, loads, now)
                return inf if behind else None
            case Waits(until):
                return until if _aged(demand, now) else min(until, demand.since() + AGED_S)
            case _:
                return inf

    def park(self, demand: Wanting, holder: Holder) -> None:
        """Let a demand wait for memory."""
        self._parked.setdefault(holder.card.device, {})[id(demand)] = demand

    def unpark(self, device: DeviceId) -> Sequence[Wanting]:
        """Return who is first in turn for each kind of memory of a device: they may ask again."""
        parked = self._parked.get(device)
        if not parked:
            return ()
        first: dict[frozenset[str], tuple[tuple[float, ...], Wanting]] = {}
        woken: list[Wanting] = []
        for demand in parked.values():
            turn = demand.turn()
            kinds = frozenset(name.kind for name in demand.needs)
            if turn is None:
                woken.append(demand)
            elif kinds not in first or turn < first[kinds][0]:
                first[kinds] = turn, demand
        woken += (demand for _, demand in first.values())
        for demand in woken:
            del parked[id(demand)]
        return woken

    def forget(self, device: DeviceId) -> None:
        """Let nobody wait for memory of a device."""
        self._parked.pop(device, None)

    def parked(self, device: DeviceId) -> Collection[int]:
        """Return who waits for memory of a device, by identity."""
        return self._parked.get(device, ())

    def devices(self) -> Sequence[DeviceId]:
        """Return the devices that somebody waits for memory of."""
        return tuple(self._parked)

    def _is_behind(
        self, demand: Wanting, holder: Holder, loads: Collection[Resource], now: float
    ) -> bool:
        """Tell whether an earlier one waits for the same kind of memory.

        What is warm waits for nobody, unless who came before has waited for `AGED_S`.
        """
        turn = demand.turn()
        kinds = {name.kind for name in demand.needs}
        cold = {name.kind for name in loads}
        return any(
            (before := other.turn()) is not None and turn is not None and before < turn
            for other in self._parked.get(holder.card.device, {}).values()
            if any(
                name.kind in (kinds if _aged(other, now) else cold)
                for name in other.needs
                if name not in holder.warm
            )
        )

    def _later(self, demand: Wanting, holder: Holder) -> Collection[Resource]:
        """Return what is kept here for consumers that wait, all of them after it in turn."""
        mine = demand.turn() or (inf,)
        return {name for name in holder.warm.warm if mine < self._first(name)}

    def _first(self, name: Resource) -> tuple[float, ...]:
        """Return the turn of the first that waits for a resource; before all if nobody does."""
        turns = (demand.turn() for demand in self._needing(name))
        return min((turn for turn in turns if turn is not None), default=(-inf,))


def _aged(demand: Wanting, now: float) -> bool:
    return now >= demand.since() + AGED_S
