"""The session against a naive model: any order of orders, ends, time and crashes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from agents.actions import (
    AttemptRow,
    Beat,
    CancelSkill,
    Forget,
    ForgetRun,
    ReconcileSkill,
    Resume,
    RunRow,
    Say,
    StartSkill,
)
from agents.ledger import MemoryLedger
from protocol.messages import Answer, Cancel, Hello, Phase, Query, Refuse, Renew, Report
from protocol.types import Effect, Failed, FailureKind, Succeeded, Unknown
from tests.support.agents import CARD, RUN, new_session, offer, request

CHANGES = (AttemptRow, RunRow, Forget, ForgetRun)
SKILLS = {"print"}
ENDS = [Succeeded(1), Failed(FailureKind.SKILL_ERROR, "scripted"), Unknown("not to be told")]


class SessionMachine(RuleBasedStateMachine):
    """A device that is told anything, and crashes; the ledger alone survives."""

    offers = Bundle("offers")

    def __init__(self):
        super().__init__()
        self.ledger = MemoryLedger()
        self.session = new_session(reconciles=SKILLS)
        self.now = 0.0
        self.epoch = 1
        self.token = 0
        self.running = {}
        self.told_to_stop = set()
        self.once = set()
        self.questions = {}
        self.answering = 0

    def do(self, actions):
        """Play the shell: changes become durable in order, and each word must be covered."""
        for action in actions:
            match action:
                case StartSkill(order):
                    self.running[order.attempt] = order
                    assert order.epoch == self.epoch
                    if order.effect is Effect.ONCE:
                        assert order.attempt in self.recorded()
                        assert order.attempt not in self.once, "I13"
                        self.once.add(order.attempt)
                case ReconcileSkill(order):
                    assert order.effect is Effect.ONCE
                    assert self.recorded()[order.attempt].work.skill == order.skill
                    self.running[order.attempt] = order
                    assert self.session.begins(order.attempt, self.now) is None
                case CancelSkill(attempt):
                    assert attempt not in self.told_to_stop
                    self.told_to_stop.add(attempt)
                case Say(Report() as report):
                    self.covered(report)
                case Beat(heartbeat):
                    assert set(heartbeat.attempts) == set(self.running)
                    asking = heartbeat.asking
                    assert asking == {name: self.questions[name] for name in asking}, "I12"
                case Resume(attempt):
                    assert self.answering in {0, self.questions[attempt]}, "I12"
                case AttemptRow() | RunRow() | Forget() | ForgetRun():
                    self.ledger.write([action], lambda _: None)

    def recorded(self):
        return {row.attempt: row for row in self.ledger.rows() if isinstance(row, AttemptRow)}

    def covered(self, report):
        row = self.recorded().get(report.attempt)
        if report.phase is not Phase.FINISHED:
            assert isinstance(row.outcome, Unknown | None)  # unknown: it is looked up again
            assert report.attempt in self.running
        elif row is not None and row.outcome is not None:
            assert row.outcome == report.outcome
        else:  # what a crash left, or acknowledged and forgotten
            assert not isinstance(report.outcome, Succeeded)

    def looking(self):
        return {name for name, live in self.session._live.items() if live.reconciling}

    def order(self, order):
        self.do(self.session.order(request(order), self.now))

    @rule(target=offers, effect=st.sampled_from(Effect), limit_s=st.sampled_from([None, 3.0]))
    def place(self, effect, limit_s):
        self.token += 1
        skill = "print" if effect is Effect.ONCE else "count"
        new = offer(
            f"a{self.token}", skill=skill, effect=effect, token=self.token, epoch=self.epoch,
            ttl_s=5.0, limit_s=limit_s,
        )  # fmt: skip
        self.order(new)
        return new

    @rule(sent=offers)
    def repeat(self, sent):
        self.order(sent)

    @rule(sent=offers, number=st.integers(0, 3))
    def answer(self, sent, number):
        self.answering = number
        self.order(Answer(sent.attempt, RUN, sent.epoch, "yes", number))

    @rule(sent=offers, kind=st.sampled_from([Cancel, Query, Refuse, Renew]))
    def say(self, sent, kind):
        attempt, epoch = sent.attempt, sent.epoch
        order = {
            Cancel: Cancel(attempt, RUN, epoch),
            Query: Query(attempt),
            Refuse: Refuse({attempt: RUN}, {RUN: epoch}),
            Renew: Renew({RUN: epoch}, (attempt,), 5.0),
        }[kind]
        self.order(order)

    @rule(sent=consumes(offers))
    def lose(self, sent):
        """Forget an offer: an attempt that nobody speaks of again."""

    @rule(sent=offers)
    def ask(self, sent):
        if sent.attempt in self.running and sent.attempt not in self.looking():
            self.questions[sent.attempt] = self.questions.get(sent.attempt, 0) + 1
            self.do(self.session.asked(sent.attempt, "which?"))

    @rule(sent=offers)
    def progress(self, sent):
        if sent.attempt in self.running:
            self.session.progress(sent.attempt, 0.5, "", self.now)

    @rule(sent=offers, outcome=st.sampled_from(ENDS))
    def finish(self, sent, outcome):
        if isinstance(outcome, Unknown) and sent.attempt not in self.looking():
            return  # no skill says that
        if self.running.pop(sent.attempt, None):
            self.told_to_stop.discard(sent.attempt)
            self.do(self.session.finished(sent.attempt, outcome, self.now))

    @rule(sent=st.lists(offers, max_size=3), epoch=st.integers(0, 1))
    def hello(self, sent, epoch):
        done = [each.attempt for each in sent if self.over(each.attempt)]
        self.epoch += epoch
        self.order(Hello("c", {RUN: self.epoch}, tuple(done)))

    def over(self, attempt):
        row = self.recorded().get(attempt)
        return row is not None and row.outcome is not None

    @rule(seconds=st.sampled_from([0.001, 0.5, 2.0, 6.0]))
    def wait(self, seconds):
        self.now += seconds
        self.do(self.session.tick(self.now))

    @rule()
    def reconnect(self):
        self.session.disconnected()
        self.do(self.session.connected(self.now))

    @rule()
    def crash(self):
        self.session = new_session(rows=self.ledger.rows(), reconciles=SKILLS)
        self.running.clear()
        self.told_to_stop.clear()
        self.do(self.session.resume())
        rows = self.recorded().values()
        cut_off = {row.attempt for row in rows if row.outcome is None}
        assert self.running.keys() == {name for name in cut_off if name in self.once}

    @invariant()
    def holds(self):
        self.session.check()
        assert len(self.running.keys() - self.looking()) <= CARD.slots
        assert self.session.next_deadline() >= self.now


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
