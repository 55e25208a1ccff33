"""What devices say that they hold, asked or not, and what becomes of what they do not hold."""

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from protocol.types import AttemptId, DeviceId, Incarnation, Load, RunId, Succeeded
from tests.support.two_devices import two
from tests.support.world import RUN, World, card, task


def test_hello_makes_an_attempt_started_that_the_device_had_started():
    world = two()
    attempt = world.offer("t").attempt
    world.hello("d1", {attempt: True})
    assert world.engine.state.attempts[attempt].state == "started"
    world.hello("d1", {attempt: True})
    assert len(world.happened(f.AttemptStarted)) == 1


def test_hello_says_nothing_new_of_an_attempt_that_was_only_accepted():
    world = two()
    attempt = world.accept("t")
    world.hello("d1", {attempt: False})
    assert world.engine.state.attempts[attempt].state == "accepted"


def test_hello_has_an_offer_repeated_that_the_device_does_not_know():
    world = two()
    decision = world.hello("d1", {})
    (offer,) = decision.commands
    assert offer == world.offers[offer.attempt]


def test_i12_an_answer_from_before_an_attempt_was_accepted_has_it_offered_again_only():
    world = two()
    world.wait(1.0)
    attempt = world.accept("t")
    world.hello("d1", {}, asked_at=0.5)
    assert (world.state("t"), world.where("t")) == ("active", "d1")
    assert len(world.ordered(c.Offer, attempt=attempt)) == 2
    world.do("t")


def test_device_that_forgot_what_it_accepted_takes_it_again_or_is_given_up_on():
    world = two()
    world.accept("t")
    world.hello("d1", {})
    world.wait(60.0)
    assert world.where("t") == "d2"


def test_question_shows_that_an_attempt_has_started_though_nobody_said_so():
    world = two()
    world.ask("t")
    world.silence("d1")
    world.wait(8.0)
    assert not world.engine.state.devices["d1"].online
    assert (world.state("t"), world.where("t")) == ("input_required", "d1")


def test_hello_names_the_runs_that_a_device_was_offered_work_of_alone():
    world = two()
    world.submit(task("u", "nowhere"), run=RunId("other"))
    world.tell(e.Connected())
    world.beat("d1", connected=True)
    first, second, again = world.ordered(c.SayHello)[-3:]
    assert [first.epochs, second.epochs, again.epochs] == [{RUN: 1}, {}, {RUN: 1}]


def test_i12_an_answer_from_before_an_attempt_was_taken_does_not_lose_it():
    world = two()
    world.wait(4.0)
    world.start("t")
    world.hello("d1", {}, asked_at=0.0)
    assert world.where("t") == "d1"
    assert world.state("t") == "active"


def test_a_heartbeat_that_names_what_nobody_wants_has_it_stopped_again():
    world = two()
    first = world.start("t")
    world.silence("d1")
    world.wait(20.0)
    named = e.Beat(DeviceId("d1"), Incarnation("1"), Load(), (first,), connected=False)
    world.tell(named)
    assert not world.ordered(c.CancelAttempt, attempt=first), "its result would still do"
    world.do("t")
    for _ in range(2):
        world.tell(named)
    assert len(world.ordered(c.CancelAttempt, attempt=first)) == 2


def test_hello_asks_for_a_tombstone_of_a_lapsed_attempt_that_the_device_does_not_know():
    world = two()
    first = world.start("t")
    world.silence("d1")
    world.wait(20.0)
    world.hello("d1", {})
    assert first in world.ordered(c.RefuseAttempts)[-1].attempts
    assert first in world.engine.state.attempts
    world.hello("d1", {first: True})
    assert not world.ordered(c.CancelAttempt, attempt=first), "its result would still do"


def test_the_first_heartbeat_a_reconnect_and_a_missing_attempt_ask_what_is_held():
    world = two()
    world.accept("t")
    assert not any(isinstance(o, c.SayHello) for o in world.beat("d1").commands)
    assert any(isinstance(o, c.SayHello) for o in world.beat("d1", connected=True).commands)
    missing = e.Beat(DeviceId("d1"), Incarnation("1"), Load(), (), connected=False)
    assert any(isinstance(order, c.SayHello) for order in world.tell(missing).commands)


def test_a_heartbeat_renews_the_leases_of_what_is_live():
    world = two()
    world.start("t")
    (renew,) = world.beat("d1").commands
    assert renew == c.RenewLeases("d1", (world.offer("t").attempt,), {RUN: 1}, 20.0)


def test_a_new_connection_asks_every_device_that_can_answer():
    world = two()
    world.tell(e.Announced(card("plain", extension=False), online=True))
    asked = [order.device for order in world.tell(e.Connected()).commands]
    assert asked == ["d1", "d2"]


def test_i12_what_unknown_devices_say_changes_nothing():
    world = World()
    nobody = DeviceId("nobody")
    world.retell(e.Beat(nobody, Incarnation("1"), Load(), (), connected=True))
    world.retell(e.Reconciled(nobody, Incarnation("1"), {}))
    world.retell(e.Unregistered(nobody))


def test_i12_a_forged_or_repeated_report_changes_nothing():
    world = two()
    attempt = world.start("t")
    other = DeviceId("d2")
    for event in (
        e.AttemptReported(other, attempt, started=True),
        e.AttemptAsked(other, attempt, "which?"),
        e.AttemptFinished(other, attempt, Succeeded("forged"), 1.0),
        e.AttemptReported(DeviceId("d1"), AttemptId("x"), started=True),
        e.AttemptReported(DeviceId("d1"), attempt, started=False),
        e.AttemptReported(DeviceId("d1"), attempt, started=True),
    ):
        world.retell(event)
        assert not world.ordered(c.Acknowledge)
    finished = e.AttemptFinished(DeviceId("d1"), attempt, Succeeded("true"), 1.0, RUN)
    world.tell(finished)
    world.retell(finished)
    assert world.row("t").output == "true"
    assert len(world.ordered(c.Acknowledge)) == 2
