"""Attempt leases against a naive model of who may have a next side effect.

The clock only moves forward, but may jump, with nobody there to notice until the next tick: a
laptop was closed, or a process was suspended.
"""

import math
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.actions import CancelSkill, ReconcileSkill, StartSkill
from agents.attempt import RECONCILE_S
from agents.session import Session
from protocol.messages import Cancel, Hello, Phase, Refuse, Renew
from protocol.types import (
    AttemptId,
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    Unknown,
)
from tests.support.agents import CARD, RUN, new_session, offer, request

TTL_S = 5.0
STOPPED = Failed(FailureKind.SKILL_ERROR, "it was stopped")


@dataclass
class Lease:
    once: bool
    expires_at: float
    begun: bool = False
    cancelled: bool = False
    """By an order, while its lease lasted."""
    looked_up: bool = False
    limit_at: float = math.inf
    """Of the look-up."""


class LeasesMachine(RuleBasedStateMachine):
    """One device."""

    reconciles = ()

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.epoch = 1
        self.count = 0
        self.leases = {}
        self.stopped = set()
        """Told to stop, as far as the shell knows."""
        self.refused = set()
        self.session = new_session(kind=Session, reconciles=self.reconciles)
        for _ in range(CARD.slots):
            self.offer()

    def do(self, actions):
        for action in actions:
            match action:
                case StartSkill(order):
                    assert order.attempt not in self.refused, "it was revoked before it came"
                    lease = Lease(order.effect is Effect.ONCE, self.now + TTL_S)
                    assert self.leases.setdefault(order.attempt, lease) is lease
                case ReconcileSkill(order):
                    lease = self.leases[order.attempt]
                    assert lease.once
                    lease.looked_up, lease.begun = True, False
                    self.stopped.discard(order.attempt)
                case CancelSkill(attempt):
                    assert attempt not in self.stopped
                    self.stopped.add(attempt)
        return actions

    def order(self, order):
        return self.do(self.session.order(request(order), self.now))

    def may_go_on(self, attempt):
        lease = self.leases[attempt]
        stopped = attempt in self.stopped
        return not lease.looked_up and not stopped and self.now < lease.expires_at

    def those(self, **wanted):
        return [
            name
            for name, lease in self.leases.items()
            if all(getattr(lease, key) == value for key, value in wanted.items())
        ]

    def offer(self):
        """Fill a slot: of three attempts two are `once`, of four one waits for the ledger."""
        self.count += 1
        name = AttemptId(f"a{self.count}")
        skill, effect = ("print", Effect.ONCE) if self.count % 3 else ("count", Effect.PURE)
        self.order(
            offer(
                name, skill=skill, effect=effect, token=self.count, epoch=self.epoch, ttl_s=TTL_S
            )
        )
        if self.count % 4:
            self.begin(name)

    def begin(self, name):
        lease, late = self.leases[name], self.session.begins(name, self.now)
        if lease.looked_up:
            assert late is None
            lease.limit_at = self.now + RECONCILE_S
        elif name in self.stopped:
            assert isinstance(late, Cancelled | Rejected)
        else:
            assert isinstance(late, Rejected) == (self.now >= lease.expires_at)
        lease.begun = late is None
        if late:
            self.end(name, late)

    @precondition(lambda self: self.those(begun=False))
    @rule(data=st.data())
    def ledger_is_written(self, data):
        self.begin(data.draw(st.sampled_from(self.those(begun=False))))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), ttl_s=st.sampled_from([1.0, TTL_S, 30.0]), stale=st.booleans())
    def renew(self, data, ttl_s, stale):
        name = data.draw(st.sampled_from(list(self.leases)))
        lease = self.leases[name]
        self.order(Renew({RUN: self.epoch - stale}, (name,), ttl_s))
        if not stale and not lease.looked_up and self.now < lease.expires_at:
            lease.expires_at = self.now + ttl_s

    @precondition(lambda self: self.those(looked_up=False))
    @rule(data=st.data())
    def cancel(self, data):
        name = data.draw(st.sampled_from(self.those(looked_up=False)))
        lease = self.leases[name]
        lapsed = lease.begun and lease.once and self.now >= lease.expires_at
        lease.cancelled |= name not in self.stopped and not lapsed
        self.order(Cancel(name, RUN, self.epoch))
        assert name in self.stopped

    @rule(kind=st.sampled_from([Cancel, Refuse]))
    def revoke_before_it_comes(self, kind):
        self.count += 1
        name = AttemptId(f"a{self.count}")
        self.refused.add(name)
        order = {
            Cancel: Cancel(name, RUN, self.epoch), Refuse: Refuse({name: RUN}, {RUN: self.epoch})
        }[kind]  # fmt: skip
        self.order(order)
        self.order(offer(name, token=self.count, epoch=self.epoch))

    @precondition(lambda self: self.those(begun=True))
    @rule(data=st.data(), well=st.booleans())
    def finish(self, data, well):
        name = data.draw(st.sampled_from(self.those(begun=True)))
        self.end(name, Succeeded() if well else STOPPED)

    @precondition(lambda self: self.those(once=True, begun=True, looked_up=False))
    @rule(stops=st.booleans(), begins=st.booleans())
    def a_lease_lapses_unless_it_is_stopped_before(self, stops, begins):
        name = self.those(once=True, begun=True, looked_up=False)[0]
        lease = self.leases[name]
        self.now = max(self.now, lease.expires_at)
        self.tick()
        if stops:
            self.end(name, STOPPED)
        if begins and lease.looked_up:
            self.begin(name)

    def end(self, name, outcome):
        lease = self.leases[name]
        actions = self.do(self.session.finished(name, outcome, self.now))
        if isinstance(actions[-1], ReconcileSkill):
            assert name not in self.leases or lease.looked_up
            assert not lease.cancelled
            return
        found = actions[0].outcome
        if lease.cancelled and isinstance(outcome, Failed):
            assert isinstance(found, Cancelled)
        elif name in self.stopped and isinstance(outcome, Failed):
            assert isinstance(found, Unknown), "a lapse in the middle is unknown, not cancelled"
        else:
            assert found == outcome
        del self.leases[name]
        self.stopped.discard(name)
        self.offer()

    @rule(seconds=st.sampled_from([0.001, 1.0, 4.999, 5.0, 3600.0]), noticed=st.booleans())
    def time_jumps(self, seconds, noticed):
        self.now += seconds
        if noticed:
            self.tick()

    @rule()
    def tick(self):
        self.do(self.session.tick(self.now))
        for name, lease in self.leases.items():
            if lease.begun and not lease.looked_up and not lease.cancelled:
                lapsed = lease.once and self.now >= lease.expires_at
                assert (name in self.stopped) == lapsed
            if lease.looked_up:
                assert (name in self.stopped) == (self.now >= lease.limit_at)

    @precondition(lambda self: self.leases)
    @rule()
    def another_coordinator_takes_over(self):
        self.epoch += 1
        (held,) = (a for a in self.order(Hello("c", {RUN: self.epoch})) if hasattr(a, "reply")
                   and hasattr(a.reply, "load"))  # fmt: skip
        for name, lease in self.leases.items():
            waits = not lease.begun and not lease.looked_up
            assert held.reply.attempts[name] is (Phase.ACCEPTED if waits else Phase.STARTED)

    @invariant()
    def side_effects_are_had_under_a_lease_alone(self):
        self.session.check()
        for name in self.leases:
            assert self.session.lease_live(name, self.now) == self.may_go_on(name)


class LookUpsMachine(LeasesMachine):
    """The same, where the skill of `once` attempts can look up what came of them."""

    reconciles = ("print",)


TestLookUps = LookUpsMachine.TestCase
TestLookUps.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLeases = LeasesMachine.TestCase
TestLeases.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
