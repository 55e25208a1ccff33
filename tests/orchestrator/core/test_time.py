"""Time limits: each wait has one, and says what it waited for."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import ForEach, Limits, Needs, RunLimits
from protocol.types import Cancelled, DeviceId, Effect, Rejected, Succeeded
from tests.support.world import RUN, World, edge, plan, task

SHORT = Limits(queue_s=20.0, start_s=5.0, run_s=10.0, input_s=30.0, unknown_s=40.0, attempts=1)


def one(effect=Effect.PURE, **needs):
    world = World()
    world.device("d", effect=effect)
    world.submit(task("t", limits=SHORT, needs=Needs(**needs)))
    return world


def test_peer_15_queue_limit_a_task_that_no_device_takes_in_time_fails():
    world = World()
    world.device("d")
    world.submit(task("busy"), task("u", limits=SHORT))
    world.start("busy")
    world.wait(20.0)
    assert world.row("u").reason == "no device became free for 'work' in time"


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        (Needs(), "no known device offers skill 'paint'"),
        (Needs(labels={"site": "lab"}), "no known device offers skill 'paint' with site=lab"),
    ],
)
def test_peer_15_a_task_that_no_known_device_can_do_fails_soon(needs, reason):
    world = World()
    world.device("d")
    world.submit(task("t", "paint", needs=needs))
    world.wait(5.0)
    assert world.row("t").reason == reason


def test_a_task_waits_its_whole_queue_limit_for_a_device_that_is_known_by_then():
    world = World()
    world.submit(task("t", limits=SHORT))
    world.tell(e.Announced(world_card(), online=False))
    world.wait(19.0)
    assert world.state("t") == "ready"
    world.wait(1.0)
    assert "became free" in world.row("t").reason


def world_card():
    donor = World()
    donor.device("d")
    return donor.engine.state.devices["d"].card


def test_a_task_bound_to_a_device_names_it():
    world = World()
    world.device("d")
    world.submit(task("busy"), task("t", limits=SHORT, needs=Needs(device=DeviceId("d"))))
    world.start("busy")
    world.wait(20.0)
    assert world.row("t").reason.startswith("device 'd' did not become free")


def test_a_task_bound_to_a_device_that_was_lost_says_so():
    world = World()
    world.device("d")
    bound = Needs(device=DeviceId("d"))
    world.submit(task("busy"), task("t", needs=bound, limits=Limits(queue_s=30.0)))
    world.silence("d")
    world.wait(31.0)
    assert world.row("t").reason == "device 'd' was lost and did not come back in time"


def test_peer_15_start_limit_an_unanswered_offer_is_repeated_and_then_taken_back():
    world = one()
    world.wait(5.9)
    assert [offer.attempt for offer in world.ordered(c.Offer)] == [world.offer("t").attempt] * 3
    world.wait(0.1)  # the limit, and no sooner than the next repeat
    assert world.ordered(c.RefuseAttempts)
    assert world.row("t").reason == "d did not answer the offer"


def test_i13_an_unanswered_once_offer_is_waited_for_before_it_counts_as_unknown():
    world = one(Effect.ONCE)
    world.wait(9.9)
    assert world.state("t") == "active"
    assert len(world.ordered(c.RefuseAttempts)) == 2
    world.end(world.offer("t").attempt, Rejected("it never came"))
    assert world.state("t") == "recovering"

    silent = one(Effect.ONCE)
    silent.wait(11.0)
    assert silent.state("t") == "unknown"
    silent.wait(40.0)
    assert silent.row("t").reason == "its outcome is unknown: d did not answer the offer"


def test_peer_15_an_accepted_attempt_that_does_not_start_is_given_up():
    world = one()
    world.accept("t")
    world.wait(5.0)
    assert world.row("t").reason == "d did not start it in time"
    assert world.ordered(c.CancelAttempt)


def test_peer_15_run_limit_an_attempt_that_does_not_finish_is_cancelled_and_given_up():
    world = one()
    world.accept("t")
    world.start("t")
    world.wait(10.0)
    assert world.row("t").reason == "d did not finish it in time"
    assert world.ordered(c.CancelAttempt)


def test_peer_15_heartbeat_limit_a_silent_device_is_lost_within_7_s():
    world = one()
    world.start("t")
    world.wait(3.0)
    world.silence("d")
    world.wait(7.0)
    assert world.happened(f.DeviceLost)


def test_peer_7_the_slot_is_free_only_when_the_device_says_so():
    world = one()
    world.edit(task("next", limits=Limits()))
    attempt = world.start("t")
    world.wait(10.0)
    assert world.state("t") == "failed"
    assert world.state("next") == "ready"
    world.wait(60.0)
    assert world.state("next") == "ready"

    world.end(attempt, Cancelled())
    assert world.state("next") == "active"


def test_peer_7_the_slot_is_free_when_the_incarnation_changed():
    world = one()
    world.edit(task("next", limits=Limits()))
    world.start("t")
    world.wait(10.0)
    world.wiped("d")
    assert world.state("next") == "active"


def test_peer_7_cancel_reaches_the_device_again_and_again_until_it_answers():
    world = one()
    attempt = world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(9.0)
    assert world.state("t") == "cancelling"
    assert len(world.ordered(c.CancelAttempt)) == 5
    world.end(attempt, Cancelled())
    assert world.run().status == "cancelled"


@pytest.mark.parametrize("started", [False, True])
def test_a_report_does_not_put_off_a_cancellation(started):
    world = one()
    world.tell(e.CancelRun(RUN, "enough"))
    world.tell(e.AttemptReported(DeviceId("d"), world.offer("t").attempt, started))
    world.wait(20.0)
    assert world.row("t").reason == "enough; d did not confirm the cancellation"
    assert world.engine.state.devices["d"].attempts, "the lapsed attempt stays charged (I5)"


def test_a_device_that_ended_first_wins_over_the_cancellation():
    world = one()
    world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.finish("t", Succeeded(1))
    assert world.state("t") == "succeeded"
    assert world.run().status == "cancelled"


def test_a_cancelled_device_that_comes_back_is_told_once_more():
    world = one()
    attempt = world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.silence("d")
    world.wait(30.0)
    told = len(world.ordered(c.CancelAttempt))
    world.hello("d", {attempt: True})
    assert len(world.ordered(c.CancelAttempt)) == told + 1


def test_i13_a_cancelled_once_task_whose_device_is_silent_is_unknown():
    world = one(Effect.ONCE)
    world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(20.0)
    assert world.state("t") == "unknown"


def test_a_person_who_does_not_answer_does_not_hang_the_run():
    world = one()
    world.ask("t")
    world.start("t")
    world.wait(29.0)
    assert world.state("t") == "input_required"
    world.wait(1.0)
    assert world.row("t").reason == "nobody answered its question: which?"
    assert world.ordered(c.CancelAttempt)


def test_an_answer_reaches_the_attempt_and_its_run_limit_starts_again():
    world = one()
    world.start("t")
    world.wait(9.0)
    world.ask("t")
    world.wait(9.0)
    decision = world.tell(e.AnswerInput(RUN, "t", "this one", "ada"))
    (order,) = decision.commands
    assert isinstance(order, c.AnswerAttempt)
    assert order.value == "this one"
    world.wait(9.0)
    assert world.state("t") == "active"
    world.do("t")


def test_a_run_past_its_deadline_is_cancelled_and_failed():
    world = World()
    world.device("d")
    world.submit(task("t"), task("u"), limits=RunLimits(deadline_s=30.0))
    attempt = world.start("t")
    world.wait(30.0)
    assert world.states() == {"t": "cancelling", "u": "cancelled"}
    world.end(attempt, Cancelled())
    assert world.run().status == "failed"
    assert world.run().reason == "its deadline of 30 s passed"


def test_a_deadline_changes_nothing_in_a_run_that_is_being_cancelled():
    world = World()
    world.device("d")
    world.submit(task("t"), limits=RunLimits(deadline_s=3.0))
    world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(4.0)
    assert len(world.happened(f.RunCancelRequested)) == 1


@pytest.mark.parametrize("elapsed", [0.0, 1e6])
def test_i11_limits_go_on_counting_over_a_restart_whatever_the_new_clock_says(elapsed):
    world = World()
    world.wait(5000.0)
    world.device("d")
    world.submit(task("busy"), task("u", limits=SHORT))
    world.start("busy")
    world.wait(10.0)
    world.restart(away_s=4.0, elapsed=elapsed)
    world.beat("d")
    world.wait(5.0)
    assert world.state("u") == "ready"
    world.wait(1.5)
    assert world.state("u") == "failed"


def test_a_cancellation_is_given_up_in_time_after_a_restart_with_a_new_clock():
    world = one()
    world.wait(4.0)
    world.at += 1e6
    world.beat("d")
    world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.restart(elapsed=0.0)
    world.beat("d")
    world.wait(25.0)
    assert world.run().ended_at is not None


def test_what_becomes_ready_in_a_paused_run_waits_until_it_is_resumed():
    world = World()
    world.device("d")
    world.submit(task("t"), task("u"), edge("t", "u"), task("v"), edge("u", "v"))
    world.tell(e.PauseRun(RUN))
    world.do("t")
    assert world.state("u") == "ready"
    world.tell(e.ResumeRun(RUN))
    assert world.states() == {"t": "succeeded", "u": "active", "v": "waiting"}


def test_a_paused_task_is_not_placed_and_goes_on_when_resumed():
    world = World()
    world.submit(task("t"), task("u"))
    world.tell(e.PauseRun(RUN))
    world.device("d", slots=2)
    world.wait(10.0)
    assert world.states() == {"t": "ready", "u": "ready"}
    world.tell(e.ResumeRun(RUN))
    world.do("t", "u")
    assert world.run().status == "succeeded"


def test_a_pause_stops_the_queue_limit():
    world = World()
    world.device("d")
    limits = Limits(queue_s=20.0)
    world.submit(task("busy"), task("t", limits=limits), task("nobody", "other", limits=limits))
    world.start("busy")
    world.tell(e.PauseRun(RUN))
    world.wait(300.0)
    assert world.states() == {"busy": "active", "t": "ready", "nobody": "ready"}
    world.tell(e.ResumeRun(RUN))
    world.wait(6.0)
    assert world.states() == {"busy": "active", "t": "ready", "nobody": "failed"}
    world.wait(15.0)
    assert world.row("t").reason == "no device became free for 'work' in time"


def test_a_pause_stops_the_wait_for_devices_to_expand_over():
    world = World()
    world.submit(task("all", for_each=ForEach()))
    world.tell(e.PauseRun(RUN))
    world.wait(300.0)
    assert world.state("all") == "ready"
    world.tell(e.ResumeRun(RUN))
    world.device("d")
    world.wait(1.0)
    world.do("all[d]")
    assert world.run().status == "succeeded"


def test_the_shell_may_sleep_until_the_next_deadline():
    world = World()
    assert world.engine.next_deadline() is None
    world.submit(task("t", limits=Limits(queue_s=3.0)))
    assert world.engine.next_deadline() == 3.0
    world.tell(e.TimePassed())
    assert world.engine.next_deadline() == 3.0


def test_what_is_over_is_over_when_its_planner_is_late():
    world = World()
    world.request()
    ask = world.ordered(c.AskPlanner)[-1].ask
    world.tell(e.CancelRun(RUN, "enough"))
    world.retell(e.PlanProposed(RUN, ask, plan(task("t"))))
    assert world.run().status == "cancelled"
    assert world.engine.state.timers.pending().keys() == {("kept",)}
