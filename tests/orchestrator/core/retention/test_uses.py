"""Who is yet to use a resource, under 10,000 random edits and events, against a naive count."""

import random

from orchestrator.core.retention.curve import product_limit
from orchestrator.core.retention.keeping import Outlook
from orchestrator.core.retention.uses import PendingUses
from orchestrator.core.retention.warm_set import (
    Admitted,
    Impossible,
    PinState,
    WarmSet,
)
from protocol.types import Resource, RunId, TaskId

RUN = RunId("r")
A, B, C = (Resource("kv", key, RUN) for key in "abc")
ONE, TWO = (RUN, TaskId("one")), (RUN, TaskId("two"))
STEPS = 10_000


def test_what_a_task_needs_is_known_from_both_sides():
    uses = PendingUses()
    assert uses.set(ONE, [A, B, A]) == (A, B)
    assert uses.set(TWO, [A]) == (A,)
    assert list(uses.of(A)) == [ONE, TWO]
    assert uses.set(ONE, [C]) == (A, B, C)
    assert (A in uses, B in uses, C in uses) == (True, False, True)
    assert uses.set(ONE, []) == (C,)
    assert uses.set(ONE, []) == ()
    assert list(uses.of(C)) == []


class World:
    """A device, a graph that is edited at random, and what a naive observer counts."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.now = 0.0
        self.warm = WarmSet({"kv": 6.0, "model": 4.0}, cap_s=40.0)
        self.uses = PendingUses()
        self.pending, self.running, self.loading = {}, {}, set()
        self.resources = {
            Resource("kv", str(n), RunId(str(n % 3))): self.chance.choice([1.0, 1.5, 2.0])
            for n in range(8)
        } | {Resource("model", str(n)): self.chance.choice([1.0, 3.0]) for n in range(4)}
        self.waits = 0

    def outlook(self):
        gaps = sorted((self.chance.expovariate(0.2), False) for _ in range(8))
        return Outlook(product_limit(gaps), self.chance.uniform(0.5, 20.0))

    def enter(self, name, needs):
        for resource in self.uses.set(name, needs):
            known = self.outlook() if resource in self.uses else None
            self.warm.expect(resource, known, self.now)
        if needs:
            self.pending[name] = needs
        else:
            self.pending.pop(name, None)

    def edit(self):
        name = (RUN, TaskId(str(self.chance.randrange(20))))
        if name not in self.running:
            count = self.chance.choice([0, 1, 1, 2])
            self.enter(name, self.chance.sample(sorted(self.resources, key=str), count))

    def start(self):
        if not self.pending:
            return
        name = self.chance.choice(list(self.pending))
        needs = {resource: self.resources[resource] for resource in self.pending[name]}
        answer = self.warm.admit(needs, self.now, deadlocked=not self.running)
        if isinstance(answer, Admitted):
            used = {resource for each in self.running.values() for resource in each}
            assert used.isdisjoint(answer.evicted)
            self.running[name] = tuple(needs)
            self.enter(name, ())
        elif isinstance(answer, Impossible):
            amounts = sum(amount for each, amount in needs.items() if each.kind == answer.kind)
            assert amounts > self.warm.capacity[answer.kind]
        else:
            assert answer.until > self.now
            assert self.running  # else it was the deadlock rule that let it wait
            self.waits += 1

    def load(self):
        for resource in list(self.warm.warm):
            self.warm.loaded(resource)

    def finish(self):
        if self.running:
            name = self.chance.choice(list(self.running))
            self.warm.finish(self.running.pop(name), self.now)

    def evict(self):
        resource = self.chance.choice(list(self.resources))
        if not any(resource in each for each in self.running.values()):
            self.warm.drop(resource)

    def expire(self):
        self.warm.expire(self.now)
        assert self.warm.next_release() > self.now

    def adopt(self):
        resource = self.chance.choice(list(self.resources))
        self.warm.adopt(resource, self.resources[resource], self.now)

    def step(self):
        actions = [self.edit] * 5 + [self.start] * 5 + [self.finish] * 4
        self.chance.choice([*actions, self.load, self.evict, self.expire, self.adopt])()
        self.now += self.chance.choice([0.0, 0.1, 1.0, 5.0])
        self.judge()

    def judge(self):
        self.warm.check(self.now)
        for kind, capacity in self.warm.capacity.items():
            held = sum(self.resources[name] for name in self.warm.warm if name.kind == kind)
            assert held <= capacity + 1e-6
        wanted = {resource for needs in self.pending.values() for resource in needs}
        for resource in self.resources:
            state = self.warm.state(resource, self.now)
            assert state is not PinState.PROTECTED or resource in wanted
        for needs in self.running.values():
            for resource in needs:
                assert self.warm.state(resource, self.now) in {PinState.LOADING, PinState.IN_USE}


def test_i5_i14_hold_under_random_edits_and_events():
    world = World(seed=1)
    protected = 0
    for _ in range(STEPS):
        world.step()
        protected += any(
            world.warm.state(name, world.now) is PinState.PROTECTED for name in world.warm.warm
        )
    assert protected > STEPS / 20
    assert world.waits > STEPS / 100
