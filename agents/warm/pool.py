"""The warm pool of a device: what is loaded, what is given up, and when. Pure: `now` comes in.

A resource is in one of these places; what it takes up counts in all of them but the first:

```
waiting for room ──► loading ──► warm ──► leaving ──► gone
                        └───────────────────►┘
```

A need that is not there is admitted only if its memory can be had: what nobody uses and no lease
protects is given up for it, in order of last use. It waits, at most, until that has left: all
whose memory is free load side by side, those of one attempt too. So loads never take more than the
capacity, and two of one resource never overlap: whoever needs it next joins the first. What an
attempt uses, or waits for, is never given up.

What nobody uses is kept as its `leases` say, and no longer than the owner's `max_idle_s`. A load
that nobody waits for any more counts as unused: it may be given up like what is warm.

Costs: a use of what is warm takes O(log n); a load, and a list of what is warm, O(n).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from itertools import count, islice
from math import fsum, inf
from typing import Final

from agents.actions import Action, EvictResource, LoadResource
from agents.alarms import Alarms
from agents.warm.leases import Leases, Speaker
from protocol.bounds import MAX_WARM
from protocol.messages import PinGrant
from protocol.types import AttemptId, Failed, FailureKind, Resource, WarmResource

ROUNDING: Final = 1e-9  # what sums of amounts may be off by, as a share of the capacity


class _Place(Enum):
    WAITING = auto()
    LOADING = auto()
    WARM = auto()


class _Entry:
    __slots__ = (
        "amount", "armed", "began_at", "idle_since", "leases", "load_s", "loader", "max_idle_s",
        "number", "place", "resource", "users",
    )  # fmt: skip

    def __init__(
        self, number: int, need: PinGrant, loader: AttemptId, max_idle_s: float, now: float
    ) -> None:
        self.number = number
        self.resource = need.resource
        self.amount = need.amount
        self.place = _Place.WAITING
        self.users: dict[AttemptId, None] = {}
        """Attempts that use it or wait for it."""
        self.leases = Leases()
        self.loader = loader
        self.began_at = self.idle_since = now
        self.load_s = 0.0
        self.max_idle_s = max_idle_s
        self.armed = inf

    def deadline(self) -> float:
        if self.users:
            return inf
        return min(self.leases.over_at, self.idle_since + self.max_idle_s)

    def given_up_for_others(self, now: float) -> bool:
        return not self.users and self.amount > 0 and not self.leases.protected(now)

    def said(self, reader: AttemptId | None = None) -> WarmResource:
        kind, key, run = self.resource
        load_s = self.load_s if reader is not None and reader == self.loader else None
        return WarmResource(kind, key, self.amount, run, load_s)


class Pool:
    """What one device holds warm. Methods append to `out` what its shell must do.

    Args:
        capacity: of the kinds that can be loaded here.
        max_idle_s: how long the owner lets something lie unused, whatever its leases say.
    """

    def __init__(
        self,
        capacity: Mapping[str, float] | None = None,
        max_idle_s: Mapping[str, float] | None = None,
    ) -> None:
        self._capacity = dict(capacity or {})
        self._max_idle_s = dict(max_idle_s or {})
        self._entries: dict[Resource, _Entry] = {}
        """In order of last use."""
        self._numbered: dict[int, _Entry] = {}
        self._waiting: dict[Resource, _Entry] = {}
        self._leaving: dict[Resource, float] = {}
        self._uses: dict[AttemptId, tuple[Resource, ...]] = {}
        self._alarms = Alarms(self._numbered)
        self._numbers = count()
        self.news_at = inf
        """When something went that no coordinator ordered to go, and nobody was told yet."""
        self.due_at = inf
        """When `tick` has something to do, or there is news; perhaps earlier than that."""
        self.draining = False
        """Nothing is kept beyond its use."""

    def lacks(self, needs: Iterable[PinGrant], now: float) -> str:
        """Say why these cannot be had now; empty if they can."""
        return self._plan(tuple(needs), now)[1]

    def use(
        self,
        attempt: AttemptId,
        needs: Sequence[PinGrant],
        by: Speaker,
        now: float,
        out: list[Action],
    ) -> None:
        """Let an attempt use what it needs, and can have, with the leases for after its end."""
        for victim in self._plan(needs, now)[0]:
            self._evict(victim, now, out, ordered=False)
        for need in needs:
            entry = self._entries.pop(need.resource, None)
            if entry is None:
                idle_s = self._max_idle_s.get(need.kind, inf)
                entry = _Entry(next(self._numbers), need, attempt, idle_s, now)
                self._numbered[entry.number] = self._waiting[need.resource] = entry
            elif not entry.users:
                entry.leases.used(now)
            self._entries[need.resource] = entry
            entry.users[attempt] = None
            entry.leases.grant(need, by, now)
        self._uses[attempt] = tuple(need.resource for need in needs)
        self._load_what_fits(now, out)

    def missing(self, attempt: AttemptId) -> list[Resource]:
        """Return what an attempt needs and is not warm."""
        return [each for each in self._uses.get(attempt, ()) if not self._is_warm(each)]

    def is_used(self, resource: Resource, attempt: AttemptId) -> bool:
        """Tell whether an attempt uses what is there, and not one that was lost before."""
        entry = self._entries.get(resource)
        return entry is not None and attempt in entry.users

    def done(self, attempt: AttemptId, now: float, out: list[Action]) -> tuple[Resource, ...]:
        """End an attempt's uses, of what is returned: the leases count from now."""
        resources = self._uses.pop(attempt, ())
        for resource in resources:
            entry = self._entries.get(resource)
            if entry is None or attempt not in entry.users:
                continue  # it died meanwhile
            del entry.users[attempt]
            if entry.users:
                continue
            del self._entries[resource]
            if entry.place is _Place.WAITING:
                del self._numbered[entry.number], self._waiting[resource]
                continue
            self._entries[resource] = entry  # the one used last
            entry.idle_since = now
            entry.leases.rest(now)
            self._keep(entry, now, out)
        return resources

    def grant(self, grant: PinGrant, by: Speaker, now: float, out: list[Action]) -> None:
        """Change a lease on what is there; what is not warm needs none."""
        entry = self._entries.get(grant.resource)
        if entry is not None and not self.draining:
            entry.leases.grant(grant, by, now)
            self._keep(entry, now, out)

    def loaded(
        self, resource: Resource, amount: float | None, now: float, out: list[Action]
    ) -> tuple[tuple[AttemptId, ...], Failed | None]:
        """Note that a load is done, and takes up `amount` (None: what was expected).

        Returns:
            Who waited for it; and why they cannot have it, if it turned out not to fit.
        """
        entry = self._entries.get(resource)
        if entry is None or entry.place is not _Place.LOADING:
            return (), None  # it was given up while it loaded, and is leaving
        waited = tuple(entry.users)
        entry.place, entry.load_s = _Place.WARM, now - entry.began_at
        entry.amount = entry.amount if amount is None else amount
        victims, why = self._make_room(resource.kind, 0.0, {resource}, now)
        if why:
            self._evict(entry, now, out)
            capacity = self._capacity[resource.kind]
            never = entry.amount > capacity
            kind = FailureKind.SKILL_ERROR if never else FailureKind.TRANSIENT
            return waited, Failed(kind, f"it takes up {entry.amount:g} of {capacity:g}: no memory")
        for victim in victims:
            self._evict(victim, now, out, ordered=False)
        if not entry.users:
            self._keep(entry, now, out)
        self._load_what_fits(now, out)
        return waited, None

    def failed(self, resource: Resource, now: float, out: list[Action]) -> tuple[AttemptId, ...]:
        """Note that a load came to nothing; return who waited for it."""
        entry = self._entries.get(resource)
        if entry is None or entry.place is not _Place.LOADING:
            return ()
        self._drop(entry)
        self._load_what_fits(now, out)
        return tuple(entry.users)

    def died(self, resource: Resource, now: float, out: list[Action]) -> tuple[AttemptId, ...]:
        """Note that something warm is of no more use; return who used it."""
        entry = self._entries.get(resource)
        if entry is None or entry.place is not _Place.WARM:
            return ()
        self._evict(entry, now, out, ordered=False)
        return tuple(entry.users)

    def evicted(self, resource: Resource, now: float, out: list[Action]) -> None:
        """Note that something has left: its memory is free."""
        if self._leaving.pop(resource, None) is not None:
            self._load_what_fits(now, out)

    def drain(self, *, on: bool, now: float, out: list[Action]) -> None:
        """End all leases, and take no more of them as long as this is on."""
        self.draining = on
        for entry in list(self._entries.values()) if on else ():
            entry.leases.end()
            self._keep(entry, now, out)

    def tick(self, now: float, out: list[Action]) -> None:
        """Release what is due."""
        for entry in self._alarms.due(now):
            if entry.deadline() <= now:
                self._evict(entry, now, out, ordered=entry.leases.over_at <= now)
        self.due_at = min(self._alarms.next(), self.news_at)

    def told(self) -> None:
        """Take it that the news was told."""
        self.news_at, self.due_at = inf, self._alarms.next()

    def warm(self) -> tuple[WarmResource, ...]:
        """Return what is loaded, what was used last first; at most `MAX_WARM`."""
        loaded = (each for each in reversed(self._entries.values()) if each.place is _Place.WARM)
        return tuple(each.said() for each in islice(loaded, MAX_WARM))

    def warm_of(
        self, resources: Iterable[Resource], reader: AttemptId
    ) -> tuple[WarmResource, ...]:
        """Return those that are warm, with what the load took if it was `reader`'s."""
        return tuple(self._entries[each].said(reader) for each in resources if self._is_warm(each))

    def used(self) -> dict[str, float]:
        """Return how much of each kind is taken up: loading, warm or leaving."""
        taken = {kind: self._taken(kind) for kind in self._capacity}
        return {kind: amount for kind, amount in taken.items() if amount}

    def broken(self) -> list[str]:
        """Return what must hold and does not, in words."""
        entries = self._entries.values()
        users = {(name, each.resource) for each in entries for name in each.users}
        uses = {(name, each) for name, needs in self._uses.items() for each in needs}
        loading = [each.resource for each in entries if each.place is not _Place.WAITING]
        over = [
            kind
            for kind, capacity in self._capacity.items()
            if self._promised(kind) > capacity * (1 + ROUNDING)
        ]
        idle = [each for each in entries if not each.users]
        wrong = {
            f"more is promised than there is of {over}": bool(over),
            "a resource is in two places": bool({*loading} & {*self._leaving}),
            "a use is counted that nobody has": not users <= uses,
            "something waits that nobody needs": any(
                each.place is _Place.WAITING for each in idle
            ),
            "a release would pass unseen": any(
                each.deadline() < max(each.armed, self.due_at) for each in idle
            ),
            "an entry cannot be found": {*self._numbered.values()} != {*entries},
        }
        return [what for what, is_so in wrong.items() if is_so]

    def _is_warm(self, resource: Resource) -> bool:
        entry = self._entries.get(resource)
        return entry is not None and entry.place is _Place.WARM

    def _promised(self, kind: str) -> float:
        """Sum what is taken up once everything that leaves is gone, and all that waits is here."""
        return fsum(each.amount for each in self._entries.values() if each.resource.kind == kind)

    def _taken(self, kind: str) -> float:
        return fsum(
            each.amount
            for each in self._entries.values()
            if each.resource.kind == kind and each.place is not _Place.WAITING
        ) + fsum(amount for name, amount in self._leaving.items() if name.kind == kind)

    def _plan(self, needs: Sequence[PinGrant], now: float) -> tuple[list[_Entry], str]:
        """Return what must be given up for these needs, and why they cannot be had, if so."""
        names = {need.resource: need for need in needs}
        new = [need for name, need in names.items() if name not in self._entries]
        if not new:
            return [], ""
        victims: list[_Entry] = []
        for kind in dict.fromkeys(need.kind for need in new):
            if kind not in self._capacity:
                known = ", ".join(self._capacity) or "none"
                return [], f"no adapter for resources of kind {kind!r} here, only {known}"
            wanted = [need for need in new if need.kind == kind]
            amount = fsum(need.amount for need in wanted)
            found, why = self._make_room(kind, amount, names, now)
            if why:
                called = " and ".join(f"{kind} {need.key}" for need in wanted)
                return [], f"no memory for {called}: {amount:g} is needed, {why}"
            victims += found
        return victims, ""

    def _make_room(
        self, kind: str, amount: float, spared: Iterable[Resource], now: float
    ) -> tuple[list[_Entry], str]:
        """Choose what to give up so that `amount` fits; or say what there is room for."""
        capacity = self._capacity[kind]
        room = capacity * (1 + ROUNDING) - self._promised(kind)
        victims: list[_Entry] = []
        for entry in self._entries.values():
            if room >= amount:
                break
            name = entry.resource
            if name.kind == kind and name not in spared and entry.given_up_for_others(now):
                victims.append(entry)
                room += entry.amount
        if room >= amount:
            return victims, ""
        return [], f"there is room for {max(room, 0.0):g} of {capacity:g}"

    def _load_what_fits(self, now: float, out: list[Action]) -> None:
        """Begin the loads whose memory is free by now; that of each will be: all are admitted."""
        for resource, entry in list(self._waiting.items()):
            free = self._capacity[resource.kind] * (1 + ROUNDING) - self._taken(resource.kind)
            if resource not in self._leaving and entry.amount <= free:
                del self._waiting[resource]
                entry.place, entry.began_at = _Place.LOADING, now
                out.append(LoadResource(resource))

    def _keep(self, entry: _Entry, now: float, out: list[Action]) -> None:
        """Keep what nobody uses as long as its leases say, or let it go."""
        if entry.users:
            return
        if entry.leases.over_at <= now:
            self._evict(entry, now, out)
        else:
            self._alarms.arm(entry.number, entry)
            self.due_at = min(self.due_at, entry.armed)

    def _evict(
        self, entry: _Entry, now: float, out: list[Action], *, ordered: bool = True
    ) -> None:
        self._drop(entry)
        self._leaving[entry.resource] = entry.amount
        out.append(EvictResource(entry.resource))
        if not ordered:
            self.news_at = min(self.news_at, now)
            self.due_at = min(self.due_at, now)

    def _drop(self, entry: _Entry) -> None:
        del self._entries[entry.resource]
        del self._numbered[entry.number]
