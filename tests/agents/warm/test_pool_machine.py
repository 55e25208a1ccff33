"""The pool against a naive model: any order of needs, ends, grants, loads, deaths and time."""

from dataclasses import dataclass, field
from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from agents.actions import EvictResource, LoadResource
from agents.warm.leases import Speaker
from agents.warm.pool import Pool
from protocol.types import PinScope
from tests.support.agents import RUN, pin

CAPACITY = {"model": 8.0, "data": 5.0}
AMOUNTS = {"a": 2.0, "b": 3.0, "c": 5.0, "d": 8.0}
IDLE_S = {"data": 60.0}
SECONDS = st.sampled_from([0.0, 1.0, 5.0, 30.0])
HOMES = st.sampled_from(["one", "two"])
RESOURCES = [
    pin(key, kind=kind, amount=AMOUNTS[key], scope=scope)
    for kind in CAPACITY
    for key in AMOUNTS
    for scope in PinScope
    if AMOUNTS[key] <= CAPACITY[kind]
]


@dataclass
class Row:
    """What the model knows of one resource."""

    amount: float
    place: str = "waiting"
    users: set = field(default_factory=set)
    leases: dict = field(default_factory=dict)  # home → [token, protected_s, release_s, since]
    used_at: int = 0
    idle_since: float = 0.0

    def over_at(self):
        return max(
            (since + release for _, _, release, since in self.leases.values()), default=-inf
        )

    def protected(self, now):
        return any(now < since + min(p, r) for _, p, r, since in self.leases.values())


class PoolMachine(RuleBasedStateMachine):
    """A device whose coordinators say anything, and whose loads come to any end."""

    attempts = Bundle("attempts")

    def __init__(self):
        super().__init__()
        self.pool = Pool(CAPACITY, IDLE_S)
        self.rows = {}
        self.leaving = {}
        self.now = 0.0
        self.tokens = 0
        self.uses = 0
        self.needs = {}

    def taken(self, kind):
        here = [r.amount for n, r in self.rows.items() if n.kind == kind and r.place != "waiting"]
        return sum(here) + sum(a for n, a in self.leaving.items() if n.kind == kind)

    def given_up(self, kind, needed=()):
        """What others may have, what was used last at the end."""
        found = [
            (row.used_at, name)
            for name, row in self.rows.items()
            if name.kind == kind and name not in needed and not row.users
            if not row.protected(self.now)
        ]
        return [name for _, name in sorted(found)]

    def do(self, out, *, pressed=(), died=None):
        """Play the shell: no load twice or over capacity, nothing is let go without reason."""
        for action in out:
            name = action.resource
            match action:
                case LoadResource():
                    row = self.rows[name]
                    assert row.place == "waiting"
                    assert name not in self.leaving
                    row.place = "loading"
                    assert self.taken(name.kind) <= CAPACITY[name.kind]
                case EvictResource():
                    row = self.rows.pop(name)
                    assert row.place in {"loading", "warm"}
                    over = row.over_at() <= self.now
                    tired = row.idle_since + IDLE_S.get(name.kind, inf) <= self.now
                    assert name == died or not row.users
                    assert name == died or over or tired or name in pressed
                    self.leaving[name] = row.amount

    def speaker(self, home):
        return Speaker(home, {RUN: 1})

    def lease(self, row, grant, home):
        known = row.leases.get(home)
        if known is None or grant.token > known[0]:
            row.leases[home] = [grant.token, grant.protected_s, grant.release_s, self.now]

    def grant_of(self, need, protected_s, release_s, *, stale=False):
        self.tokens += 1
        token = self.tokens - 3 if stale else self.tokens
        return pin(
            need.key, kind=need.kind, amount=need.amount, scope=need.scope, token=token,
            protected_s=protected_s, release_s=release_s,
        )  # fmt: skip

    @rule(
        target=attempts,
        needs=st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3, unique=True),
        times=st.tuples(SECONDS, SECONDS),
        home=HOMES,
    )
    def need(self, needs, times, home):
        grants = [self.grant_of(need, *times) for need in needs]
        names = [grant.resource for grant in grants]
        pressed = []
        feasible = True
        for kind, capacity in CAPACITY.items():
            new = sum(g.amount for g in grants if g.kind == kind and g.resource not in self.rows)
            room = capacity - sum(r.amount for n, r in self.rows.items() if n.kind == kind)
            for name in self.given_up(kind, names) if new else ():
                if room >= new:
                    break
                pressed.append(name)
                room += self.rows[name].amount
            feasible = feasible and (room >= new or not new)
        why = self.pool.lacks(grants, self.now)
        assert bool(why) == (not feasible), why
        attempt = f"attempt-{self.tokens}"
        if not feasible:
            return attempt
        out = []
        self.pool.use(attempt, grants, self.speaker(home), self.now, out)
        given_up = [a.resource for a in out if isinstance(a, EvictResource)]
        assert given_up == pressed
        self.needs[attempt] = names
        for grant in grants:
            row = self.rows.setdefault(grant.resource, Row(grant.amount))
            if not row.users:
                for lease in row.leases.values():
                    if lease[3] + lease[2] <= self.now:
                        lease[1] = lease[2] = 0.0
            row.users.add(attempt)
            self.uses += 1
            row.used_at = self.uses
            self.lease(row, grant, home)
        self.do(out, pressed=pressed)
        missing = [name for name in names if self.rows[name].place != "warm"]
        assert self.pool.missing(attempt) == missing
        return attempt

    @rule(attempt=consumes(attempts))
    def end(self, attempt):
        out = []
        self.pool.done(attempt, self.now, out)
        for name in self.needs.pop(attempt, ()):
            row = self.rows.get(name)
            if row is None or attempt not in row.users:
                continue
            row.users.remove(attempt)
            if row.users:
                continue
            if row.place == "waiting":
                del self.rows[name]
                continue
            self.uses += 1
            row.used_at, row.idle_since = self.uses, self.now
            for lease in row.leases.values():
                lease[3] = self.now
        self.do(out)

    @rule(
        need=st.sampled_from(RESOURCES),
        times=st.tuples(SECONDS, SECONDS),
        home=HOMES,
        stale=st.booleans(),
    )
    def grant(self, need, times, home, stale):
        grant, out = self.grant_of(need, *times, stale=stale), []
        self.pool.grant(grant, self.speaker(home), self.now, out)
        if row := self.rows.get(grant.resource):
            self.lease(row, grant, home)
        self.do(out)

    @rule(data=st.data(), end=st.sampled_from(["loaded", "smaller", "failed"]))
    def load_ends(self, data, end):
        loading = [name for name, row in self.rows.items() if row.place == "loading"]
        if not loading:
            return
        name, out = data.draw(st.sampled_from(loading)), []
        row = self.rows[name]
        if end == "failed":
            waited = self.pool.failed(name, self.now, out)
            del self.rows[name]
        else:
            row.place = "warm"
            row.amount = row.amount / 2 if end == "smaller" else row.amount
            waited, unfit = self.pool.loaded(name, row.amount, self.now, out)
            assert unfit is None
        assert set(waited) == row.users
        self.do(out)

    @rule(data=st.data())
    def eviction_ends(self, data):
        if self.leaving:
            name, out = data.draw(st.sampled_from(sorted(self.leaving, key=str))), []
            del self.leaving[name]
            self.pool.evicted(name, self.now, out)
            self.do(out)

    @rule(need=st.sampled_from(RESOURCES))
    def dies(self, need):
        out, row = [], self.rows.get(need.resource)
        warm = row is not None and row.place == "warm"
        users = self.pool.died(need.resource, self.now, out)
        assert set(users) == (row.users if warm else set())
        self.do(out, died=need.resource if warm else None)

    @rule(seconds=st.sampled_from([0.5, 4.0, 25.0]))
    def wait(self, seconds):
        self.now += seconds
        self.tick()

    def tick(self):
        out = []
        self.pool.tick(self.now, out)
        self.pool.told()
        self.do(out)
        for name, row in self.rows.items():
            if not row.users:
                assert row.over_at() > self.now, f"the lease of {name} ended unseen"

    @rule()
    def coordinators_are_gone(self):
        """Nobody speaks any more: the clock alone ends every lease."""
        for name in [name for name, row in self.rows.items() if row.place == "loading"]:
            self.rows[name].place = "warm"
            self.do_loaded(name)
        for attempt in list(self.needs):
            self.end(attempt)
        for _ in range(100):
            due = self.pool.due_at
            if due == inf:
                break
            self.now = max(self.now, due)
            self.tick()
        assert not self.rows
        assert self.pool.warm() == ()

    def do_loaded(self, name):
        out = []
        self.pool.loaded(name, None, self.now, out)
        self.do(out)

    @invariant()
    def holds(self):
        assert self.pool.broken() == []
        for kind, capacity in CAPACITY.items():
            assert self.taken(kind) <= capacity
            assert self.pool.used().get(kind, 0.0) == self.taken(kind)
        warm = {each.name: each.amount for each in self.pool.warm()}
        assert warm == {n: r.amount for n, r in self.rows.items() if r.place == "warm"}
        order = [self.rows[each.name].used_at for each in self.pool.warm()]
        assert order == sorted(order, reverse=True)


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
