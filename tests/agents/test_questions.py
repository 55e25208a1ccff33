"""What skills ask people, over a network that repeats."""

from dataclasses import replace

from protocol.messages import Answer
from tests.support.agents import RUN, A, new_session, offer, request, told


def test_i12_repeated_answer_is_not_taken_for_the_answer_to_the_next_question():
    session = new_session()
    session.order(request(offer()), 0)
    session.asked(A, "which?")
    answer = request(Answer(A, RUN, 1, "b"))
    assert told(session.order(answer, 50)) == ["resume a b"]
    session.asked(A, "sure?")
    assert told(session.order(answer, 51)) == ["say a input_required"]
    newer = replace(request(Answer(A, RUN, 1, "yes")), correlation=b"newer")
    assert told(session.order(newer, 52)) == ["resume a yes"]
