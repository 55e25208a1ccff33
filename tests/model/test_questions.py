"""Questions and answers, explored; and the code, held to that by walks."""

import random

import pytest

from agents.actions import Beat, Resume, Say
from orchestrator import wire
from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.model import Limits
from protocol.messages import Hello, Report
from tests.model.questions import Rules, State, Word, explore, steps, stuck
from tests.support.agents import new_session, offer, request
from tests.support.world import RUN, World, task

MOST = 5
STATES = 6_547
BREAKS = {
    "device_counts": "an answer reached another question",
    "coordinator_counts": "a person was asked again",
}
HANGS = ["heartbeats", "queries", "answers_again"]


def test_i12_every_answer_reaches_its_question_and_none_is_asked_twice():
    states, why = explore(Rules(), MOST)
    assert why == ""
    assert len(states) == STATES
    assert stuck(Rules(), states) == []


@pytest.mark.parametrize("rule", BREAKS)
def test_without_numbers_on_either_side_questions_and_answers_are_mixed_up(rule):
    assert explore(Rules(**{rule: False}), MOST)[1] == BREAKS[rule]


@pytest.mark.parametrize("rule", HANGS)
def test_without_a_rule_a_lost_message_is_waited_for_in_vain(rule):
    rules = Rules(**{rule: False})
    assert stuck(rules, explore(rules, 1)[0])


def test_every_rule_is_broken_once():
    assert {*BREAKS, *HANGS} == set(Rules._fields)


class Pair:
    """A real session and a real engine that take the steps of the model."""

    def __init__(self):
        self.world = World()
        self.world.device("laptop", life="incarnation")
        self.world.submit(task("t", limits=Limits(run_s=1e6)))
        self.attempt = self.world.start("t")
        self.session = new_session()
        made = offer(self.attempt, run=RUN)
        self.session.order(request(made), 0.0)
        self.session.connected(0.0)
        self.session.order(request(Hello("coordinator", {})), 0.0)
        self.sent = {}
        self.resumed = []

    def take(self, what, *about):
        getattr(self, what)(*about)

    def ask(self, number):
        self._said(self.session.asked(self.attempt, f"question {number}"))

    def person(self, number):
        decision = self.world.tell(e.AnswerInput(RUN, "t", number, "me"))
        self._ordered(decision.commands)

    def beat(self, number):
        """Let two heartbeats pass: the first may overtake a question, and does not name it."""
        for _ in range(2):
            self.world.at += 2.0
            (said,) = [
                each.heartbeat
                for each in self.session.tick(self.world.at)
                if isinstance(each, Beat)
            ]
        assert said.asking == {self.attempt: number}
        self.sent[Word("beat", number)] = said

    def deliver(self, word):
        message = self.sent[word]
        self.world.at += 2.0  # an answer is not repeated sooner
        match word.kind:
            case "question":
                self.world.tell(message)
            case "beat":
                self._ordered(self.world.tell(wire.beat_of(message)).commands)
            case _:
                self._said(self.session.order(request(message), self.world.at))

    def _said(self, actions):
        for each in actions:
            if isinstance(each, Resume):
                self.resumed.append(each.value)
            if isinstance(each, Say) and isinstance(each.reply, Report) and each.reply.question:
                event = wire.event_of(each.reply, "laptop")
                self.sent[Word("question", event.number)] = event

    def _ordered(self, commands):
        for each in commands:
            if isinstance(each, c.AnswerAttempt):
                self.sent[Word("answer", each.question)] = wire.order_of(each)
            elif isinstance(each, c.QueryAttempt):
                self.sent[Word("query", 0)] = wire.order_of(each)

    def state(self):
        live = self.session._live[self.attempt]
        known = self.world.engine.state.attempts[self.attempt]
        return State(
            live.question,
            live.phase == "input_required",
            known.asked,
            self.world.state("t") == "input_required",
            frozenset(self.sent),
        )


@pytest.mark.parametrize("seed", range(12))
def test_the_code_takes_the_steps_of_the_model(seed):
    chance, pair, s = random.Random(seed), Pair(), State()
    for _ in range(60):
        label, s = chance.choice(list(steps(Rules(), MOST, s)))
        pair.take(*label)
        assert pair.state() == s, label
    assert pair.resumed == sorted(set(pair.resumed))
