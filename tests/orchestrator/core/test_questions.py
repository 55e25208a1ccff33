"""Questions are numbered: none is asked twice, and what is lost of them is said again."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits
from orchestrator.journal.codec import decode
from protocol.types import Incarnation, Load
from tests.support.world import RUN, World, task


def started():
    world = World()
    world.at = 5000.0
    world.device("d")
    world.submit(task("t", limits=Limits(run_s=100.0, input_s=50.0)))
    return world, world.start("t")


def ask(world, attempt, number, question="which?"):
    event = e.AttemptAsked("d", attempt, question, number)
    world.tell(event)
    world.retell(event)
    return event


def answer(world, value="this"):
    return world.tell(e.AnswerInput(RUN, "t", value, "me")).commands


def beat(world, asking, *, after_s=0.0, device="d", **more):
    """Return what a heartbeat that names these questions leads to, but for renewals."""
    world.at += after_s
    held = tuple(world.held(device))
    told = e.Beat(device, Incarnation("1"), Load(), held, more.get("connected", False), asking)
    decision = world.tell(told)
    return [each for each in decision.commands if not isinstance(each, c.RenewLeases)]


def test_i12_a_question_that_was_answered_is_not_asked_again():
    world, attempt = started()
    first = ask(world, attempt, 1)
    (order,) = answer(world)
    assert (order.value, order.question) == ("this", 1)
    world.retell(first)
    assert world.state("t") == "active"
    ask(world, attempt, 2, "sure?")
    (order,) = answer(world, "yes")
    assert order.question == 2
    world.retell(first)


def test_a_device_without_numbers_asks_as_often_as_it_says():
    world, attempt = started()
    for _ in range(2):
        ask(world, attempt, 0)
        (order,) = answer(world)
        assert order.question == 0
    assert len(world.happened(f.InputRequested)) == 2


def test_a_newer_question_takes_the_place_of_one_that_nobody_answered():
    world, attempt = started()
    first = ask(world, attempt, 1)
    world.wait(30.0)
    ask(world, attempt, 2, "sure?")
    assert (world.state("t"), world.row("t").reason) == ("input_required", "sure?")
    world.retell(first)
    world.wait(49.0)
    assert world.state("t") == "input_required", "it has its own time"
    (order,) = answer(world)
    assert order.question == 2


def test_a_question_that_was_lost_is_asked_for():
    world, attempt = started()
    assert beat(world, {attempt: 1}) == [c.QueryAttempt("d", attempt)]
    ask(world, attempt, 1)
    assert beat(world, {attempt: 1}, after_s=2.0) == []


def test_an_answer_that_was_lost_is_given_again_and_not_before_it_can_have_arrived():
    world, attempt = started()
    ask(world, attempt, 1)
    given = answer(world, {"n": 1})
    assert beat(world, {attempt: 1}, after_s=1.9) == []
    assert beat(world, {attempt: 1}, after_s=0.1) == [*given]
    assert beat(world, {attempt: 1}, after_s=2.0) == [*given]
    assert beat(world, {}, after_s=2.0) == []


def test_i12_a_late_heartbeat_that_names_a_former_question_changes_nothing():
    world, attempt = started()
    ask(world, attempt, 1)
    answer(world)
    ask(world, attempt, 2)
    answer(world)
    assert beat(world, {attempt: 1}, after_s=9.0) == []


def test_a_device_that_is_asked_what_it_holds_is_not_asked_for_its_questions_as_well():
    world, attempt = started()
    (order,) = beat(world, {attempt: 1}, connected=True)
    assert isinstance(order, c.SayHello)


def test_nobody_asks_for_the_question_of_what_is_to_stop():
    world, attempt = started()
    world.tell(e.CancelRun(RUN, "enough"))
    assert world.state("t") == "cancelling"
    assert beat(world, {attempt: 1}) == []


def test_the_questions_of_others_attempts_are_none_of_a_devices_business():
    world, attempt = started()
    world.device("other")
    assert beat(world, {attempt: 1, "unheard-of": 1}, device="other") == []


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("elapsed", [0.0, 1e6, None])
def test_i11_questions_and_answers_outlive_the_coordinator(rows, elapsed):
    world, attempt = started()
    first = ask(world, attempt, 1)
    answer(world, "kept")
    world.restart(rows=rows, elapsed=elapsed)
    world.device("d")
    world.retell(first)
    (order,) = beat(world, {attempt: 1}, after_s=2.0)
    assert (order.value, order.question, order.epoch) == ("kept", 1, 2)


def test_journals_without_numbers_are_read():
    world, attempt = started()
    body = f'{{"attempt":"{attempt}","question":"which?","due":99.0}}'
    world.engine.apply(decode(("InputRequested", RUN, "t", body)))
    known = world.engine.state.attempts[attempt]
    assert (world.state("t"), known.asked, known.answered_at) == ("input_required", 0, None)
