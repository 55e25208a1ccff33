"""What is warm on one device: the ledger that decides what stays, what waits and what goes.

Theory of operation. A resource is, in turn,

* **loading**, then **in use** by one attempt or more: never evicted;
* **protected** while `now < protected_until`: a cold task waits for its memory;
* **evictable**: still warm; given up in ascending worth (`R·h`) when memory is asked for, but not
  while a consumer is queued on the device;
* **released**: gone, at once when a run's own resource was used for the last time.

A protected pin that makes a cold task wait is admission control, not cache replacement: evicting
under any pressure thrashes near saturation. Nobody needs a timer to become evictable, since the
state follows from `now`; who waits is told when to ask again.

`plan` only looks; `use`, `end`, `pin`, `drop` and `adopt` change, and decide nothing: facts fold
into them. `admit`, `finish` and `expect` decide and change at once, for who has no journal.

Invariants: what is charged is never above the capacity of its kind (I5); nothing is protected of
which no further use is known (I14). Time is in seconds on the caller's elapsed clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from operator import itemgetter
from typing import Final, TypeAlias

from orchestrator.core.errors import InvariantError
from orchestrator.core.retention.keeping import ByIndex, Keeping, Outlook
from protocol.types import PinScope, Resource, RunId

ROUNDING: Final = 1e-9  # what sums of amounts may be off by, as a share of the capacity


class PinState(StrEnum):
    """Where a resource stands; one that is released is not in the set."""

    LOADING = "loading"
    IN_USE = "in_use"
    PROTECTED = "protected"
    EVICTABLE = "evictable"


@dataclass(slots=True)
class Warm:
    """One resource on the device. Owned by its `WarmSet`.

    Attributes:
        amount: charged, in the unit of the device's capacity for its kind.
        loading: it was asked for and is not known to be there.
        users: attempts that use it, or wait for its load.
        queued: consumers that wait on this device for something else.
        outlook: of its next use; None: the graph knows none. Not saved: known again when asked.
        idle_since: the end of its last use; None in use, and until it is pinned after that.
        protected_until: half-open, `inf` for ever; counts while nobody uses it.
        release_at: the hard cap, or the owner's idle price.
        token: of the lease that its device was granted last.
        speaker: the run that used it last: its coordinator speaks for it.
    """

    amount: float
    loading: bool = True
    users: int = 0
    queued: int = 0
    outlook: Outlook | None = None
    idle_since: float | None = None
    protected_until: float = 0.0
    release_at: float = inf
    token: int = 0
    speaker: RunId | None = None

    def age_s(self, now: float) -> float:
        """Return how long it lies idle."""
        return 0.0 if self.idle_since is None else now - self.idle_since


@dataclass(frozen=True, slots=True)
class Admitted:
    """The needs are charged: load what is cold, after evicting what stood in the way."""

    loads: tuple[Resource, ...]
    evicted: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """There is no room now. Ask again at a release or a finish, and at `until` at the latest."""

    until: float


@dataclass(frozen=True, slots=True)
class Impossible:
    """The needs exceed the capacity of this kind, whatever is evicted."""

    kind: str


Admission: TypeAlias = Admitted | Waits | Impossible


@dataclass(slots=True)
class WarmSet:
    """The warm resources of one incarnation of one device.

    Attributes:
        capacity: by kind of resource; a kind that is not there has none.
        keeping: the rule; pure.
        cap_s: no resource stays warm longer unused, whatever the rule says.
    """

    capacity: Mapping[str, float]
    keeping: Keeping = field(default_factory=ByIndex)
    cap_s: float = inf
    warm: dict[Resource, Warm] = field(default_factory=dict)
    charged: dict[str, float] = field(default_factory=dict)

    def __contains__(self, name: Resource) -> bool:
        return name in self.warm

    def state(self, name: Resource, now: float) -> PinState | None:
        """Return where a resource stands; None: it is not warm here."""
        warm = self.warm.get(name)
        if warm is None:
            return None
        if warm.users:
            return PinState.LOADING if warm.loading else PinState.IN_USE
        return PinState.PROTECTED if now < warm.protected_until else PinState.EVICTABLE

    # What it would take

    def plan(
        self,
        needs: Mapping[Resource, float],
        now: float,
        *,
        deadlocked: bool = False,
        yielding: Collection[Resource] = (),
    ) -> Admission:
        """Return what an attempt would have to wait for, or load and evict. Changes nothing.

        Args:
            needs: by resource, its amount.
            now: elapsed seconds.
            deadlocked: nothing runs, and this is the head of the queue: it takes what is protected
                as well and, only if that is not enough, what has a consumer queued here. Only what
                is in use or loading with a waiter stays.
            yielding: what may go although consumers are queued: they came much later.
        """
        cold = {name: amount for name, amount in needs.items() if name not in self.warm}
        evicted: list[Resource] = []
        for kind, amount in _by_kind(cold).items():
            capacity = self.capacity.get(kind, 0.0)
            spare = ROUNDING * capacity
            own = sum(
                self.warm[name].amount for name in needs if name.kind == kind and name not in cold
            )
            if amount + own > capacity + spare:
                return Impossible(kind)
            short = self.charged.get(kind, 0.0) + amount - capacity
            if short > spare:
                may_go = self._warm_of(kind) if deadlocked else yielding
                for name in self._candidates(kind, needs, now, may_go):
                    evicted.append(name)
                    short -= self.warm[name].amount
                    if short <= spare:
                        break
                else:
                    return Waits(self._next_end(kind, needs, now))
        return Admitted(tuple(cold), tuple(evicted))

    # What happened

    def put(self, name: Resource, warm: Warm) -> None:
        """Take a resource as it was saved."""
        self._charge(name.kind, warm.amount)
        self.warm[name] = warm

    def use(self, needs: Mapping[Resource, float], speaker: RunId | None = None) -> None:
        """Let one attempt, of the run `speaker`, use these; charge what is cold."""
        for name, amount in needs.items():
            if name not in self.warm:
                self._charge(name.kind, amount)
                self.warm[name] = Warm(amount)
            warm = self.warm[name]
            warm.users += 1
            warm.idle_since, warm.speaker = None, speaker

    def end(self, names: Iterable[Resource]) -> None:
        """Let one attempt's use of these end; one that was given up meanwhile is nothing."""
        for name in names:
            if (warm := self.warm.get(name)) is not None:
                warm.users = max(0, warm.users - 1)

    def loaded(self, name: Resource) -> None:
        """Note that a load is done; one that was given up meanwhile is nothing."""
        if (warm := self.warm.get(name)) is not None:
            warm.loading = False

    def pin(self, name: Resource, token: int, *, since: float, until: float, cap: float) -> None:
        """Keep what nobody uses `since` then protected and, up to the `cap`, evictable."""
        warm = self.warm[name]
        warm.token, warm.idle_since, warm.protected_until, warm.release_at = (
            token, since, until, cap,
        )  # fmt: skip

    def drop(self, name: Resource) -> None:
        """Let go of a resource, if it is there."""
        if (warm := self.warm.pop(name, None)) is not None:
            self._charge(name.kind, -warm.amount)

    def shift(self, by: float) -> None:
        """Move every time, for clocks that start anew."""
        for warm in self.warm.values():
            if warm.idle_since is not None:
                warm.idle_since += by
            warm.protected_until += by
            warm.release_at += by

    def adopt(self, name: Resource, amount: float, now: float) -> bool:
        """Take what a device announces as warm, evictable until its outlook is known.

        Returns whether there is room for it; if not, tell the device to let it go.
        """
        if name in self.warm:
            return True
        if not self.has_room(name.kind, amount):
            return False
        self._charge(name.kind, amount)
        self.warm[name] = Warm(
            amount, loading=False, idle_since=now, protected_until=now, release_at=now + self.cap_s
        )
        return True

    def has_room(self, kind: str, amount: float) -> bool:
        """Tell whether so much of a kind can be charged without evicting anything."""
        capacity = self.capacity.get(kind, 0.0)
        return self.charged.get(kind, 0.0) + amount <= capacity * (1.0 + ROUNDING)

    # At once

    def admit(
        self, needs: Mapping[Resource, float], now: float, *, deadlocked: bool = False
    ) -> Admission:
        """Charge all that an attempt needs after evicting what must go, or nothing; see `plan`."""
        answer = self.plan(needs, now, deadlocked=deadlocked)
        if isinstance(answer, Admitted):
            for name in answer.evicted:
                self.drop(name)
            self.use(needs)
        return answer

    def finish(self, names: Collection[Resource], now: float) -> tuple[Resource, ...]:
        """End one attempt's use of these; return what is released by that."""
        self.end(names)
        for name in names:
            if (warm := self.warm.get(name)) is not None:
                warm.idle_since, warm.release_at = now, now + self.cap_s
                warm.protected_until = self._protected_until(warm, now)
        return self._release(names)

    def expect(
        self, name: Resource, outlook: Outlook | None, now: float, *, queued: int = 0
    ) -> tuple[Resource, ...]:
        """Take what the graph knows of the next use; return what is released by that.

        The age goes on: a resource that is still warm is protected again, or no longer. With None
        it is released (scope `run`) or evictable (`shared`), unless it is in use.
        """
        warm = self.warm.get(name)
        if warm is None:
            return ()
        warm.outlook, warm.queued = outlook, queued
        warm.protected_until = self._protected_until(warm, now)
        return self._release((name,))

    def expire(self, now: float) -> tuple[Resource, ...]:
        """Release what reached its hard cap."""
        names = self.expired(now)
        for name in names:
            self.drop(name)
        return names

    def expired(self, now: float) -> tuple[Resource, ...]:
        """Return what reached its hard cap."""
        return tuple(
            name
            for name, warm in self.warm.items()
            if not (warm.users or warm.queued) and now >= warm.release_at
        )

    def next_release(self) -> float:
        """Return when `expire` has something to do at the earliest; `inf`: never."""
        return min(
            (w.release_at for w in self.warm.values() if not w.users and not w.queued),
            default=inf,
        )

    def check(self, now: float) -> None:
        """Raise InvariantError where I5 or I14 does not hold."""
        for kind, charged in self.charged.items():
            held = sum(warm.amount for name, warm in self.warm.items() if name.kind == kind)
            spare = ROUNDING * self.capacity[kind]
            if abs(charged - held) > spare or held > self.capacity[kind] + spare:
                raise InvariantError("I5", f"{kind}: charged {charged:g}, held {held:g}")
        for name, warm in self.warm.items():
            if warm.outlook is None and self.state(name, now) is PinState.PROTECTED:
                raise InvariantError("I14", f"{name} is protected past its last use")

    def _warm_of(self, kind: str) -> Collection[Resource]:
        return [name for name in self.warm if name.kind == kind]

    def _candidates(
        self,
        kind: str,
        needs: Mapping[Resource, float],
        now: float,
        may_go: Collection[Resource],
    ) -> Sequence[Resource]:
        """Return what may be evicted, the least worth first; ties in the order of loads."""
        ranked: list[tuple[bool, float, Resource]] = []
        for name, warm in self.warm.items():
            if warm.users or name.kind != kind or name in needs:
                continue
            kept = warm.queued or now < self._still_protected(warm, now)
            if not kept or name in may_go:
                ranked.append((warm.queued > 0, self._worth(warm, now), name))
        ranked.sort(key=itemgetter(0, 1))
        return [name for _, _, name in ranked]

    def _worth(self, warm: Warm, now: float) -> float:
        if warm.outlook is None:
            return -inf
        return self.keeping.worth(warm.outlook, warm.age_s(now))

    def _next_end(self, kind: str, needs: Mapping[Resource, float], now: float) -> float:
        """Return when the first protection ends that stands in the way; `inf`: none does."""
        ends = (
            self._still_protected(warm, now)
            for name, warm in self.warm.items()
            if name.kind == kind and name not in needs and not (warm.users or warm.queued)
        )
        return min((end for end in ends if now < end), default=inf)

    def _still_protected(self, warm: Warm, now: float) -> float:
        """Return until when it is protected: past its lease waiting may pay again at this age."""
        if now < warm.protected_until or warm.outlook is None:
            return warm.protected_until
        return self._protected_until(warm, now)

    def _protected_until(self, warm: Warm, now: float) -> float:
        if warm.outlook is None:
            return now
        lease_s = self.keeping.protect_s(warm.outlook, warm.age_s(now))
        since = now if warm.idle_since is None else warm.idle_since
        return min(since + lease_s, warm.release_at)

    def _release(self, names: Iterable[Resource]) -> tuple[Resource, ...]:
        """Drop those of their runs that nobody uses, or will."""
        gone = tuple(
            name
            for name in names
            if name.scope is PinScope.RUN
            and (warm := self.warm.get(name)) is not None
            and not (warm.users or warm.queued or warm.outlook)
        )
        for name in gone:
            self.drop(name)
        return gone

    def _charge(self, kind: str, amount: float) -> None:
        self.charged[kind] = self.charged.get(kind, 0.0) + amount


def _by_kind(needs: Mapping[Resource, float]) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for name, amount in needs.items():
        amounts[name.kind] = amounts.get(name.kind, 0.0) + amount
    return amounts
