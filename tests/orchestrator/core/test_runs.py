"""Requests, and what people do to runs."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveTask
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.model import RunLimits
from protocol.types import (
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    RunId,
    Succeeded,
    TaskId,
    Unknown,
)
from tests.support.world import RUN, World, edge, plan, task

OTHER = RunId("other")


def test_a_request_is_planned_and_runs_to_its_end():
    world = World()
    world.device("d")
    (ask,) = world.request().commands
    assert (ask.run, ask.task, ask.limit_s) == (RUN, None, 120.0)
    world.tell(e.PlanProposed(RUN, ask.ask, plan(task("a"), task("b"), edge("a", "b"))))
    world.do("a")
    world.finish("b", Succeeded(7))

    snapshot = world.engine.snapshot(RUN)
    assert snapshot.status == "succeeded"
    assert snapshot.outputs == {"b": 7}
    assert snapshot.missing == {}


def test_a_snapshot_says_where_a_task_is():
    world = World()
    world.device("d")
    world.submit(task("a"))
    (row,) = world.engine.snapshot(RUN).tasks
    assert (row.device, row.attempts, row.state) == ("d", 1, "active")


def test_a_repeated_key_makes_no_second_run():
    world = World()
    world.submit(task("a"))
    world.retell(e.Submit(OTHER, f"key-{RUN}", "again"))
    world.tell(e.Submit(OTHER, f"key-{RUN}", "again", owner="somebody else"))
    assert list(world.engine.state.runs) == [RUN, OTHER]


def test_a_new_run_does_not_take_the_id_of_another():
    world = World()
    world.submit(task("a"))
    with pytest.raises(RequestError, match="a new run needs a new id"):
        world.tell(e.Submit(RUN, "another key", "do"))
    assert "a" in world.states()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda ask: e.PlanFailed(RUN, ask, "no idea"), "no plan: no idea"),
        (lambda ask: e.PlanProposed(RUN, ask, plan()), "no plan: the batch has no edits"),
        (
            lambda ask: e.PlanProposed(RUN, ask, plan(task("a"), edge("x", "a"))),
            "no plan: task 'a' depends on unknown 'x'",
        ),
    ],
)
def test_peer_11_13_a_run_without_a_usable_plan_ends_with_the_reason(answer, reason):
    world = World()
    (ask,) = world.request().commands
    world.tell(answer(ask.ask))
    assert (world.run().status, world.run().reason) == ("failed", reason)


def test_peer_11_a_planner_that_is_silent_does_not_hang_the_run():
    world = World()
    world.request(limits=RunLimits(plan_s=5.0))
    world.wait(5.0)
    assert world.run().reason == "no plan: the planner did not answer within 5 s"


def test_a_run_that_somebody_planned_meanwhile_does_not_need_the_planner():
    world = World()
    (ask,) = world.request().commands
    world.edit(task("a"))
    world.tell(e.PlanFailed(RUN, ask.ask, "no idea"))
    assert world.run().ended_at is None


def test_a_restarted_coordinator_asks_for_the_first_plan_again():
    world = World()
    (ask,) = world.request().commands
    (again,) = world.restart().commands
    assert again == ask


def test_a_cancelled_run_stops_everything_and_takes_the_words_of_who_cancelled_it():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b"), edge("a", "b"), task("c"))
    attempt = world.start("a")
    world.tell(e.CancelRun(RUN, "not needed"))
    assert world.states() == {"a": "cancelling", "b": "cancelled", "c": "cancelled"}
    world.retell(e.CancelRun(RUN, "really"))
    world.end(attempt, Cancelled())
    assert (world.run().status, world.run().reason) == ("cancelled", "not needed")
    world.retell(e.CancelRun(RUN, "again"))


def test_a_failure_of_a_task_that_is_being_cancelled_is_its_cancellation():
    world = World()
    world.device("d")
    world.submit(task("a"))
    world.tell(e.CancelRun(RUN, "not needed"))
    world.finish("a", Failed(FailureKind.TRANSIENT, "oops"))
    assert world.states() == {"a": "cancelled"}


def test_a_run_that_is_over_takes_no_orders():
    world = World()
    world.device("d")
    world.submit(task("a"))
    world.do("a")
    for event in (
        e.PauseRun(RUN),
        e.ResumeRun(RUN),
        e.EditRequested(RUN, "p", plan(task("b"))),
    ):
        with pytest.raises(RequestError, match="has succeeded already"):
            world.tell(event)


def test_pausing_and_resuming_twice_changes_nothing():
    world = World()
    world.submit(task("a"))
    world.retell(e.ResumeRun(RUN))
    world.tell(e.PauseRun(RUN))
    world.retell(e.PauseRun(RUN))


def test_a_run_from_which_everything_was_removed_is_over():
    world = World()
    world.submit(task("a"))
    world.edit(RemoveTask(TaskId("a")))
    assert world.run().status == "succeeded"


def test_an_unknown_run_is_named():
    for event in (e.CancelRun(RUN, "x"), e.PauseRun(RUN), e.PlanFailed(RUN, "x", "y")):
        with pytest.raises(UnknownRunError, match="there is no run 'run'"):
            World().tell(event)


def test_an_answer_that_nobody_asked_for_is_refused():
    world = World()
    world.device("d")
    world.submit(task("a"))
    for name in ("a", "nobody"):
        with pytest.raises(RequestError, match="does not ask for input"):
            world.tell(e.AnswerInput(RUN, name, "yes", "ada"))
        with pytest.raises(RequestError, match="its outcome is not lost"):
            world.tell(e.SettleUnknown(RUN, name, Succeeded(1), "ada"))


def lost():
    world = World()
    world.device("d", effect=Effect.ONCE)
    world.submit(task("a"), task("b"), edge("a", "b"))
    world.finish("a", Unknown("power was lost"))
    assert world.state("a") == "unknown"
    return world


def test_a_person_may_say_that_a_lost_effect_happened():
    world = lost()
    world.tell(e.SettleUnknown(RUN, "a", Succeeded("paid"), "ada"))
    assert world.row("a").output == "paid"
    world.do("b")
    assert world.run().status == "succeeded"


def test_a_person_may_say_that_a_lost_effect_did_not_happen():
    world = lost()
    world.tell(
        e.SettleUnknown(RUN, "a", Failed(FailureKind.SKILL_ERROR, "it was not paid"), "ada")
    )
    assert world.run().reason == "a: it was not paid"


def test_a_lost_effect_is_settled_as_one_or_the_other():
    world = lost()
    with pytest.raises(RequestError, match="succeeded or failed"):
        world.tell(e.SettleUnknown(RUN, "a", Cancelled(), "ada"))
    assert world.state("a") == "unknown"


def test_a_lost_effect_that_nobody_settles_fails_its_task():
    world = lost()
    world.wait(600.0)
    assert world.run().reason == "a: its outcome is unknown: power was lost"


def once(outcome, *, started=True):
    """A `once` task whose device was silent past its lease, and speaks then."""
    world = World()
    world.device("d", effect=Effect.ONCE)
    world.submit(task("a"))
    if started:
        world.start("a")
    world.silence("d")
    world.wait(30.0)
    assert world.state("a") == "unknown"
    world.end(world.offer("a").attempt, outcome)
    return world


def test_a_lost_effect_takes_the_late_word_of_its_device():
    assert once(Succeeded(1)).run().status == "succeeded"
    assert once(Failed(FailureKind.SKILL_ERROR, "no")).state("a") == "failed"
    assert once(Unknown("still")).state("a") == "unknown"


def test_i13_a_once_task_is_tried_again_only_if_its_device_says_that_it_never_started():
    tried_again = once(Rejected("it never came"), started=False)
    assert tried_again.state("a") == "recovering"
    refused_late = once(Rejected("it never came"), started=True)
    assert refused_late.state("a") == "failed"
    assert len(refused_late.offers) == 1


def test_a_lost_effect_does_not_take_the_word_of_another_attempt():
    world = World()
    world.device("d", effect=Effect.IDEMPOTENT)
    world.submit(task("a"))
    first = world.start("a")
    world.silence("d")
    world.device("e", effect=Effect.ONCE)
    world.wait(30.0)
    world.finish("a", Unknown("power was lost"))
    assert world.state("a") == "unknown"
    world.end(first, Failed(FailureKind.TRANSIENT, "late"))
    assert world.state("a") == "unknown"
    assert len(world.happened(f.TaskPlaced)) == 2


def test_runs_are_served_by_priority_and_then_by_arrival():
    world = World()
    for n, priority in enumerate((0, 0, 5)):
        world.submit(task("a"), run=RunId(f"r{n}"), priority=priority)
    world.device("d")
    order = []
    for _ in range(3):
        offer = world.ordered(c.Offer)[-1]
        order.append(offer.run)
        world.end(offer.attempt, Succeeded(None))
    assert order == ["r2", "r0", "r1"]


def test_the_longest_way_to_the_end_goes_first():
    world = World()
    world.submit(task("short"), task("long"), task("next"), edge("long", "next"))
    world.device("d")
    assert world.offers
    assert world.ordered(c.Offer)[0].task == "long"


def test_a_way_that_became_the_longest_goes_first_though_it_was_ready_before():
    world = World()
    world.submit(task("first", estimate_s=2.0), task("second", estimate_s=1.0))
    world.edit(task("next", estimate_s=9.0), edge("second", "next"))
    world.device("d")
    assert world.ordered(c.Offer)[0].task == "second"


def test_an_edit_does_not_place_what_a_pause_holds():
    world = World()
    world.submit(task("a"), task("b"))
    world.tell(e.PauseRun(RUN))
    world.edit(task("next"), edge("b", "next"))
    world.device("d")
    assert not world.offers
    world.tell(e.ResumeRun(RUN))
    assert world.ordered(c.Offer)[0].task == "b"
