"""The failure ladder: classify, retry, move, ask the planner, degrade."""

import itertools

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import ReplaceTask
from orchestrator.core.model import Limits, RunLimits
from orchestrator.core.recovery import RULES, Again, Case, GiveUp, after_failure, after_rejection
from orchestrator.core.tuning import Tuning
from protocol.types import (
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    Unknown,
)
from tests.support.world import RUN, World, edge, plan, task

TUNING = Tuning()
CASE = Case(
    Effect.PURE, charged=1, rejections=0, limit=4, elsewhere=True, at_once=True, seed=1, task="t"
)


def fails(kind, **hint):
    return Failed(kind, "scripted", **hint)


def case(**changes):
    known = {name: getattr(CASE, name) for name in Case.__slots__}
    return Case(**{**known, **changes})


def test_every_kind_of_failure_has_a_rule():
    assert set(RULES) == set(FailureKind)


@pytest.mark.parametrize(
    ("kind", "elsewhere", "effect"), [*itertools.product(FailureKind, (True, False), Effect)]
)
def test_a_failure_is_tried_again_only_where_that_may_help_and_may_be_done(
    kind, elsewhere, effect
):
    verdict = after_failure(fails(kind), case(elsewhere=elsewhere, effect=effect), TUNING)

    hopeless = kind is FailureKind.BAD_INPUT or (
        not elsewhere and kind in {FailureKind.SKILL_ERROR, FailureKind.BAD_OUTPUT}
    )
    if hopeless or effect is Effect.ONCE:
        assert isinstance(verdict, GiveUp)
    else:
        assert isinstance(verdict, Again)
        assert verdict.exclude is elsewhere
        assert verdict.charged


def test_a_task_is_given_up_after_its_last_attempt():
    verdict = after_failure(fails(FailureKind.TRANSIENT), case(charged=4), TUNING)
    assert verdict == GiveUp("scripted")


def test_peer_16_back_off_doubles_with_jitter_up_to_its_bound():
    delays = [
        after_failure(fails(FailureKind.TRANSIENT), case(charged=n, limit=99), TUNING).delay_s
        for n in range(1, 12)
    ]

    for n, delay_s in enumerate(delays):
        whole = min(0.5 * 2**n, 30.0)
        assert 0.8 * whole <= delay_s <= 1.2 * whole
    assert len({delay_s / min(0.5 * 2**n, 30.0) for n, delay_s in enumerate(delays)}) > 5


def test_jitter_is_the_same_for_the_same_seed_and_differs_between_tasks():
    def delay(**changes):
        return after_failure(fails(FailureKind.TIMEOUT), case(**changes), TUNING).delay_s

    assert delay() == delay()
    assert delay() != delay(task="u")
    assert delay() != delay(seed=2)


def test_the_devices_hint_is_kept_to():
    hinted = fails(FailureKind.TRANSIENT, retry_after_s=77.0)
    assert after_failure(hinted, CASE, TUNING).delay_s == 77.0
    other = fails(FailureKind.SKILL_ERROR, retry_after_s=5.0)
    assert after_failure(other, CASE, TUNING).delay_s == 5.0


def test_refusals_cost_the_task_nothing_but_are_bounded():
    again = after_rejection(Rejected("busy"), CASE, TUNING)
    assert isinstance(again, Again)
    assert not again.charged
    assert not again.exclude
    spent = after_rejection(Rejected("busy"), case(rejections=16), TUNING)
    assert spent == GiveUp("every device refused it, last: busy")


def test_peer_16_the_failed_device_is_excluded():
    world = World()
    for name in ("d1", "d2", "d3"):
        world.device(name)
    world.submit(task("t"))
    used = [world.where("t")]
    for _ in range(2):
        world.finish("t", fails(FailureKind.SKILL_ERROR))
        used.append(world.where("t"))

    assert sorted(used) == ["d1", "d2", "d3"]
    world.finish("t", fails(FailureKind.SKILL_ERROR))
    assert world.row("t").reason.endswith("d3: scripted (no other device can do it)")


def test_peer_16_no_attempt_is_made_before_the_back_off_is_over():
    world = World()
    world.device("d")
    world.submit(task("t"))
    world.finish("t", fails(FailureKind.TRANSIENT))
    assert world.state("t") == "recovering"

    world.wait(0.39)
    assert len(world.offers) == 1
    world.wait(0.3)
    assert len(world.offers) == 2
    world.do("t")
    assert world.run().status == "succeeded"


def test_a_refused_task_is_offered_again_after_a_pause():
    world = World(tuning=Tuning(rejections=2))
    world.device("d")
    world.submit(task("t"))
    for _ in range(2):
        world.finish("t", Rejected("busy"))
        world.wait(3.0)
    world.finish("t", Rejected("still busy"))
    assert world.row("t").reason == "every device refused it, last: still busy"


def test_a_device_that_stops_a_task_by_itself_has_it_moved():
    world = World()
    world.device("d1")
    world.device("d2")
    world.submit(task("t"))
    first = world.where("t")
    world.finish("t", Cancelled())
    assert world.where("t") != first


@pytest.mark.parametrize("effect", [Effect.PURE, Effect.IDEMPOTENT])
def test_an_unknown_outcome_is_tried_again_where_twice_is_harmless(effect):
    world = World()
    world.device("d", effect=effect)
    world.submit(task("t"))
    world.finish("t", Unknown("power was lost"))
    world.do("t")
    assert world.run().status == "succeeded"


def test_peer_14_the_scope_of_a_failure_is_its_descendants():
    world = World()
    world.device("d", slots=40)
    many = [task(f"t{n}") for n in range(30)]
    world.submit(task("bad"), task("child"), edge("bad", "child"), *many)
    world.finish("bad", fails(FailureKind.BAD_INPUT))

    assert world.state("child") == "skipped"
    assert world.row("child").reason == "'bad' is failed"
    assert world.run().ended_at is None
    world.do(*(each.id for each in many))
    assert world.run().status == "failed"
    assert world.run().reason == "bad: scripted"
    snapshot = world.engine.snapshot(RUN)
    assert snapshot.missing == {"bad": "scripted"}
    assert len(snapshot.outputs) == 30


def test_the_reason_of_a_run_names_five_tasks_and_counts_the_rest():
    world = World()
    world.device("d", slots=9)
    world.submit(*(task(f"t{n}") for n in range(7)))
    for n in range(7):
        world.finish(f"t{n}", fails(FailureKind.BAD_INPUT))
    assert world.run().reason.endswith("t4: scripted; and 2 more")


# The planner


def asked(limits=None):
    """A task that only the planner can mend."""
    world = World()
    world.device("d")
    world.submit(task("t"), task("u"), edge("t", "u"), limits=limits or RunLimits())
    world.finish("t", fails(FailureKind.BAD_INPUT))
    return world, world.ordered(c.AskPlanner)[-1]


def test_peer_18_the_planner_mends_what_failed_and_the_run_succeeds():
    world, ask = asked()
    assert (ask.task, ask.cause) == ("t", "scripted")
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(task("t", args={"n": 1})), base=1)))
    world.do("t", "u")
    assert world.run().status == "succeeded"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda ask: e.PlanFailed(RUN, ask, "no idea"), "no idea"),
        (lambda ask: e.PlanProposed(RUN, ask, plan(base=1)), "the batch has no edits"),
        (lambda ask: e.PlanProposed(RUN, ask, plan(task("n", "x"), base=1)), "did not change"),
    ],
)
def test_peer_11_a_planner_that_does_not_mend_lets_the_task_fail_with_the_reason(answer, why):
    world, ask = asked()
    world.tell(answer(ask.ask))
    assert world.state("t") == "failed"
    assert world.row("t").reason.startswith("scripted; not mended: ")
    assert why in world.row("t").reason


def test_peer_11_a_planner_that_never_answers_does_not_hang_the_run():
    world, _ = asked()
    world.wait(121.0)
    assert world.run().status == "failed"
    assert world.run().reason == "t: scripted; the planner did not mend it in time"


@pytest.mark.parametrize("revisions", [0, 1, 2])
def test_the_planner_is_asked_as_often_as_the_run_allows(revisions):
    world = World()
    world.device("d")
    world.submit(task("t"), limits=RunLimits(revisions=revisions))
    for n in range(revisions + 1):
        world.finish("t", fails(FailureKind.BAD_INPUT))
        asks = world.ordered(c.AskPlanner)
        if n < revisions:
            batch = plan(ReplaceTask(task("t")), base=n + 1)
            world.tell(e.PlanProposed(RUN, asks[-1].ask, batch))
    assert len(world.ordered(c.AskPlanner)) == revisions
    assert world.state("t") == "failed"


def test_an_answer_to_an_older_question_does_not_end_a_task_that_was_asked_about_again():
    world, first = asked()
    world.edit(ReplaceTask(task("t", args={"n": 1})))
    world.finish("t", fails(FailureKind.BAD_INPUT))
    second = world.ordered(c.AskPlanner)[-1]
    assert second.ask != first.ask

    world.tell(e.PlanFailed(RUN, first.ask, "no idea"))

    assert world.state("t") == "recovering"
    world.tell(e.PlanFailed(RUN, second.ask, "no idea either"))
    assert world.state("t") == "failed"


def moved_meanwhile(limits=None):
    """A planner that mends `t` by changing `u` too, which a person edits while it thinks."""
    world, ask = asked(limits)
    world.edit(ReplaceTask(task("u", args={"n": 2})))
    mended = plan(ReplaceTask(task("t", args={"n": 1})), ReplaceTask(task("u")), base=1)
    world.tell(e.PlanProposed(RUN, ask.ask, mended))
    return world, ask


def test_an_answer_whose_footprint_moved_is_refused_whole_and_asked_for_again_from_the_present():
    world, first = moved_meanwhile()
    assert world.happened(f.EditRefused)
    assert world.row("u").spec.args == {"n": 2}
    second = world.ordered(c.AskPlanner)[-1]
    assert (second.task, second.ask != first.ask) == ("t", True)
    assert second.cause.startswith("scripted (an answer came too late: ")
    mended = plan(ReplaceTask(task("t", args={"n": 1})), base=world.run().revision)
    world.tell(e.PlanProposed(RUN, second.ask, mended))
    world.do("t", "u")
    assert world.run().status == "succeeded"


def test_who_is_too_late_each_time_is_asked_as_often_as_the_run_allows():
    world, _ = moved_meanwhile(RunLimits(revisions=1))
    assert world.state("t") == "failed"
    assert len(world.ordered(c.AskPlanner)) == 1


def test_an_answer_that_is_too_late_for_a_task_that_was_mended_otherwise_is_dropped():
    world, ask = asked()
    world.edit(ReplaceTask(task("t", args={"n": 3})))
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(task("t")), base=1)))
    assert len(world.ordered(c.AskPlanner)) == 1
    world.do("t", "u")
    assert world.run().status == "succeeded"


def test_an_answer_that_is_too_late_while_a_newer_question_stands_waits_for_that():
    world, first = asked()
    world.edit(ReplaceTask(task("t", args={"n": 1})))
    world.finish("t", fails(FailureKind.BAD_INPUT))
    asks = len(world.ordered(c.AskPlanner))
    world.tell(e.PlanProposed(RUN, first.ask, plan(ReplaceTask(task("t")), base=1)))
    assert len(world.ordered(c.AskPlanner)) == asks
    assert world.state("t") == "recovering"


def test_i12_an_answer_to_no_question_changes_nothing():
    world, ask = asked()
    world.tell(e.PlanFailed(RUN, ask.ask, "no idea"))
    world.retell(e.PlanFailed(RUN, ask.ask, "no idea"))
    world.retell(e.PlanProposed(RUN, ask.ask, plan(task("n"))))


@pytest.mark.parametrize("rows", [False, True])
def test_a_restarted_coordinator_asks_its_planner_again(rows):
    world, ask = asked()
    decision = world.restart(away_s=500.0, elapsed=0.0, rows=rows)
    assert [each.ask for each in decision.commands] == [ask.ask]
    world.beat("d")
    world.wait(100.0)
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(task("t", args={"n": 1})), base=1)))
    world.do("t", "u")
    assert world.run().status == "succeeded"


def test_a_restart_sets_no_deadline_for_a_task_that_was_mended_otherwise():
    world, _ = asked()
    world.edit(ReplaceTask(task("t", limits=Limits(queue_s=900.0))))
    world.restart()
    world.wait(130.0)
    assert world.happened(f.PlanAnswered)
    assert world.state("t") == "ready"


def test_a_lapsed_attempt_may_still_mend_what_the_planner_was_asked_about():
    world = World()
    world.device("d")
    world.submit(task("t", limits=Limits(run_s=5.0, attempts=1)), limits=RunLimits())
    world.start("t")
    world.wait(6.0)
    assert world.row("t").awaiting == "planner"
    world.end(world.offer("t").attempt, Succeeded("late"))
    assert world.run().status == "succeeded"


def test_no_planner_is_asked_for_a_run_that_is_being_cancelled():
    world = World()
    world.device("d")
    world.submit(task("t", effect=Effect.ONCE), limits=RunLimits())
    world.start("t")
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(30.0)
    assert world.state("t") == "unknown"
    world.wait(600.0)
    assert world.ordered(c.AskPlanner) == []
    assert world.run().status == "cancelled"
    assert world.engine.state.devices[DeviceId("d")].attempts


def test_device_that_asks_for_years_of_patience_is_given_an_hour():
    world = World()
    world.device("d1")
    world.submit(task("t"))
    world.end(world.start("t"), fails(FailureKind.TRANSIENT, retry_after_s=1e9))
    world.wait(TUNING.retry_after_s)
    world.do("t")
    assert world.run().status == "succeeded"
