"""What skills ask people, over a network that loses and repeats."""

from dataclasses import replace

import pytest

from agents.actions import Beat
from protocol.messages import Answer, Phase, Query
from protocol.types import AttemptId
from tests.support.agents import RUN, A, new_session, offer, request, told


def asking(*questions):
    """Return a session whose attempt has asked these, and given up all but the last."""
    session = new_session()
    session.order(request(offer()), 0)
    for each in questions:
        session.asked(A, each)
    return session


def answer(value, question=0, *, correlation=b"correlation"):
    return replace(request(Answer(A, RUN, 1, value, question)), correlation=correlation)


def beat(session, now):
    """Return the questions that the heartbeat names which is due."""
    (said,) = [each for each in session.tick(now) if isinstance(each, Beat)]
    return said.heartbeat.asking


def test_i12_repeated_answer_is_not_taken_for_the_answer_to_the_next_question():
    session = asking("which?")
    assert told(session.order(answer("b"), 50)) == ["resume a b"]
    session.asked(A, "sure?")
    assert told(session.order(answer("b"), 51)) == ["say a input_required"]
    newer = answer("yes", correlation=b"newer")
    assert told(session.order(newer, 52)) == ["resume a yes"]


def test_questions_of_an_attempt_count_from_1_and_only_they_have_a_number():
    session = asking("which?")
    (said,) = session.order(request(Query(A)), 1)
    assert (said.reply.phase, said.reply.question) == (Phase.INPUT_REQUIRED, 1)
    session.order(answer("b", 1), 2)
    (said,) = session.order(request(Query(A)), 3)
    assert (said.reply.phase, said.reply.question) == (Phase.STARTED, 0)
    (said,) = session.asked(A, "sure?")
    assert said.reply.question == 2


@pytest.mark.parametrize("number", [1, 3])
def test_i12_an_answer_to_another_question_is_met_with_the_one_that_is_open(number):
    session = asking("which?", "sure?")
    late = answer("b", number, correlation=b"never seen")
    (said,) = session.order(late, 1)
    assert (said.reply.question, said.reply.note) == (2, "sure?")
    assert told(session.order(answer("yes", 2), 2)) == ["resume a yes"]


def test_i12_an_answer_that_is_given_again_resumes_nothing():
    session = asking("which?")
    assert told(session.order(answer("b", 1), 1)) == ["resume a b"]
    again = answer("b", 1, correlation=b"again")
    assert told(session.order(again, 2)) == ["say a started"]


def test_an_answer_to_an_attempt_that_is_not_known_is_refused():
    assert told(new_session().order(answer("b", 1), 0))[-1] == "say refused not found"


def test_a_question_is_named_from_the_second_heartbeat_on_until_it_is_answered():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(offer("b")), 0)
    session.connected(0)
    session.asked(A, "which?")
    assert [beat(session, now) for now in (2, 4, 6)] == [{}, {A: 1}, {A: 1}]
    session.order(answer("b", 1), 7)
    session.asked(A, "sure?")
    session.asked(AttemptId("b"), "how much?")
    assert [beat(session, now) for now in (8, 10)] == [{}, {A: 2, "b": 1}]
