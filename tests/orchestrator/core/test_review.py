"""Results that nobody expected: the planner looks at them before anything builds on them."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import CancelTask, RemoveTask, ReplaceTask, SetArgs
from orchestrator.core.model import ForEach, Limits, Op, Predicate, RunLimits
from protocol.types import Effect, Failed, FailureKind, Succeeded, Unknown
from tests.support.world import RUN, World, edge, plan, task

FEW = Predicate(("n",), Op.LT, 10)
MANY = Succeeded({"n": 50})


def counted(expect=FEW, limits=None, **more):
    """`t` counts, `u` builds on it, `v` does not."""
    world = World()
    world.device("d", slots=4)
    world.submit(
        task("t", expect=expect, **more),
        task("u"),
        task("v"),
        edge("t", "u"),
        limits=limits or RunLimits(),
    )
    return world


def unexpected(**more):
    world = counted(**more)
    world.finish("t", MANY)
    return world, world.ordered(c.AskPlanner)[-1]


def test_a_result_that_was_expected_goes_on_at_once():
    world = counted()
    world.finish("t", Succeeded({"n": 5}))
    assert world.state("t") == "succeeded"
    assert not world.ordered(c.AskPlanner)


def test_what_waits_for_an_unexpected_result_waits_for_the_planner_and_nothing_else_does():
    world, ask = unexpected()
    assert (ask.task, ask.kind) == ("t", "information")
    assert ask.cause == "its result is not what the plan expects: n lt 10 does not hold"
    assert [world.state(name) for name in "tuv"] == ["recovering", "waiting", "active"]
    assert world.row("t").output == {"n": 50}
    world.do("v")
    assert world.run().status == "running"


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        (Predicate((), Op.EQ, 3), "the whole eq 3 does not hold"),
        (Predicate(("rows", 0), Op.EXISTS), "rows.0 exists does not hold"),
    ],
)
def test_the_planner_is_told_what_was_expected(expect, told):
    _, ask = unexpected(expect=expect)
    assert ask.cause.endswith(told)


@pytest.mark.parametrize(
    "answer",
    [
        lambda ask: e.PlanFailed(RUN, ask, "no idea"),
        lambda ask: e.PlanFailed(RUN, ask, ""),
        lambda ask: e.PlanProposed(RUN, ask, plan(base=1)),
        lambda ask: e.PlanProposed(RUN, ask, plan(SetArgs("u", {"n": 1}), base=1)),
        lambda ask: e.PlanProposed(RUN, ask, plan(task("w"), edge("t", "w"), base=1)),
    ],
)
def test_whatever_the_planner_says_of_the_rest_the_result_stands(answer):
    world, ask = unexpected()
    world.tell(answer(ask.ask))
    assert world.state("t") == "succeeded"
    assert world.row("t").output == {"n": 50}
    world.do(*(name for name in ("u", "v", "w") if name in world.run().tasks))
    assert world.run().status == "succeeded"
    assert len(world.ordered(c.AskPlanner)) == 1


def test_a_revision_changes_what_the_result_makes_pointless():
    world, ask = unexpected()
    world.tell(e.PlanProposed(RUN, ask.ask, plan(RemoveTask("u"), task("w"), base=1)))
    world.do("v", "w")
    assert world.run().status == "succeeded"
    assert "u" not in world.run().tasks


def test_a_planner_may_have_the_task_done_again_in_another_way():
    world, ask = unexpected()
    batch = plan(ReplaceTask(task("t", args={"less": True}, expect=FEW)), base=1)
    world.tell(e.PlanProposed(RUN, ask.ask, batch))
    assert world.row("t").output is None
    world.finish("t", Succeeded({"n": 1}))
    world.do("u", "v")
    assert world.run().status == "succeeded"


@pytest.mark.parametrize(
    "again",
    [
        ReplaceTask(task("t", args={"less": True}, effect=Effect.PURE)),
        SetArgs("t", {"less": True}),
        edge("w", "t"),
        RemoveTask("t"),
    ],
)
def test_what_took_effect_is_not_done_again_whatever_its_result_was(again):
    world, ask = unexpected(effect=Effect.ONCE)
    assert ask.cause.endswith("does not hold; it took effect, and is not done again")
    world.restart()
    world.tell(e.PlanProposed(RUN, ask.ask, plan(task("w"), again, base=1)))
    assert [reason.rule for reason in world.happened(f.EditRefused)[-1].reasons] == ["once"]
    assert world.state("t") == "succeeded"
    assert world.row("t").output == {"n": 50}
    assert world.row("t").attempts == 1


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("effect", "again"), [(Effect.ONCE, False), (Effect.PURE, True)])
def test_items_that_took_effect_are_not_done_again_either(declared, effect, again):
    world = World()
    world.device("d", slots=4, effect=effect if declared else Effect.IDEMPOTENT)
    few = Predicate(("results", 1), Op.EXISTS)
    each = ForEach(["a", "b"], min_success=1)
    own = None if declared else effect
    world.submit(task("t", for_each=each, expect=few, effect=own), limits=RunLimits())
    world.finish("t[0]", Failed(FailureKind.BAD_INPUT, "broken"))
    world.do("t[1]")
    ask = world.ordered(c.AskPlanner)[-1]
    assert ask.kind == "information"
    world.tell(e.PlanProposed(RUN, ask.ask, plan(SetArgs("t", {"less": True}), base=1)))
    assert world.state("t") == ("active" if again else "succeeded")


def looped(effect):
    """Two items, both over by now, of a loop with a result that nobody expected."""
    world = World()
    world.device("d", slots=1, effect=effect)
    missing = Predicate(("results", 2), Op.EXISTS)
    limits = Limits(unknown_s=60.0)
    world.submit(task("t", for_each=ForEach(["a", "b"]), expect=missing, limits=limits),
                 limits=RunLimits())  # fmt: skip
    return world


def done_again(world):
    ask = world.ordered(c.AskPlanner)[-1]
    assert ask.kind == "information"
    world.tell(e.PlanProposed(RUN, ask.ask, plan(SetArgs("t", {"less": True}), base=1)))
    return world.state("t") != "succeeded"


@pytest.mark.parametrize("gone", [False, True])
def test_what_an_item_did_on_a_device_that_is_gone_counts_as_an_effect(gone):
    world = looped(Effect.PURE)
    world.do("t[0]")
    if gone:
        del world.alive["d"]
        world.tell(e.Unregistered("d"))
        assert "d" not in world.engine.state.devices
        world.device("e", effect=Effect.PURE)
    world.do("t[1]")
    assert done_again(world) is not gone


def test_an_item_that_a_person_says_was_done_counts_as_an_effect():
    world = looped(Effect.ONCE)
    world.start("t[0]")
    world.finish("t[0]", Unknown("power was lost"))
    world.device("d", effect=Effect.PURE)
    world.do("t[1]")
    world.tell(e.SettleUnknown(RUN, "t[0]", Succeeded(None), "ann"))
    assert world.row("t[0]").where is None
    assert not done_again(world)


def test_what_follows_an_effect_can_be_changed():
    world, ask = unexpected(effect=Effect.ONCE)
    world.tell(e.PlanProposed(RUN, ask.ask, plan(RemoveTask("u"), task("w"), base=1)))
    world.do("v", "w")
    assert world.run().status == "succeeded"


def test_a_planner_that_never_answers_does_not_hang_the_run():
    world, _ = unexpected()
    world.do("v")
    world.wait(121.0)
    assert world.state("t") == "succeeded"
    world.do("u")
    assert world.run().status == "succeeded"


def test_without_revisions_left_a_result_stands_at_once():
    world = counted(limits=RunLimits(revisions=0))
    world.finish("t", MANY)
    assert world.state("t") == "succeeded"
    assert not world.ordered(c.AskPlanner)


def test_an_answer_for_what_is_past_is_asked_for_anew_while_that_is_allowed():
    for revisions, state in ((1, "succeeded"), (2, "recovering")):
        world, ask = unexpected(limits=RunLimits(revisions=revisions))
        world.edit(SetArgs("u", {"by": "ann"}))
        world.tell(e.PlanProposed(RUN, ask.ask, plan(SetArgs("u", {"by": "planner"}), base=1)))
        assert world.row("u").spec.args == {"by": "ann"}
        assert world.state("t") == state
        asks = world.ordered(c.AskPlanner)
        assert [each.kind for each in asks] == ["information"] * revisions


def test_an_unexpected_result_outlives_a_restart():
    world, ask = unexpected()
    world.restart()
    again = world.ordered(c.AskPlanner)[-1]
    assert (again.ask, again.kind) == (ask.ask, "information")
    world.tell(e.PlanFailed(RUN, ask.ask, "no idea"))
    assert world.row("t").output == {"n": 50}
    assert world.state("t") == "succeeded"


@pytest.mark.parametrize("by", ["task", "run"])
def test_a_result_that_is_looked_at_can_be_cancelled(by):
    world, _ = unexpected()
    if by == "task":
        world.edit(CancelTask("t"))
    else:
        world.tell(e.CancelRun(RUN, "enough"))
    assert world.state("t") == "cancelled"


def test_the_result_of_a_task_that_is_being_stopped_is_no_longer_looked_at():
    world = counted()
    world.start("t")
    attempt = world.row("t").live
    world.edit(CancelTask("t"))
    world.end(attempt, MANY)
    assert world.state("t") == "succeeded"
    assert not world.ordered(c.AskPlanner)


def test_the_result_of_a_second_attempt_stands():
    world = counted(limits=RunLimits(revisions=8))
    world.start("t")
    first = world.row("t").live
    world.silence("d")
    world.device("e", slots=4)
    world.wait(30.0)
    assert world.row("t").live not in (None, first)
    second = world.row("t").live
    world.finish("t", MANY)
    assert world.state("t") == "recovering"
    assert second != first
    world.end(first, Succeeded({"n": 70}))
    assert world.state("t") == "succeeded"
    assert world.row("t").output == {"n": 70}
    assert len(world.ordered(c.AskPlanner)) == 1


def test_what_a_loop_comes_to_may_be_unexpected_but_not_one_item_of_it():
    each = ForEach(["a", "b"])
    world = World()
    world.device("d", slots=4)
    two = Predicate(("results", 2), Op.EXISTS)
    parts = task("t", for_each=each, expect=two), task("u"), edge("t", "u")
    world.submit(*parts, limits=RunLimits())
    world.do("t[0]", "t[1]")
    assert world.state("t") == "recovering"
    assert world.state("u") == "waiting"
    [ask] = world.ordered(c.AskPlanner)
    world.tell(e.PlanFailed(RUN, ask.ask, "no idea"))
    world.do("u")
    assert world.run().status == "succeeded"
    assert len(world.row("t").output["results"]) == 2


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize(
    ("came", "state"), [(MANY, "recovering"), (Succeeded({"n": 5}), "succeeded")]
)
def test_an_outcome_that_was_lost_and_found_is_looked_at_too(came, state, rows):
    world = counted(effect=Effect.ONCE)
    attempt = world.start("t")
    world.finish("t", Unknown("power was lost"))
    assert world.state("t") == "unknown"
    world.end(attempt, came)
    assert world.state("t") == state
    assert world.row("t").output == came.output
    asks = world.ordered(c.AskPlanner)
    assert [each.kind for each in asks] == ["information"] * (state == "recovering")
    world.restart(rows=rows)
    if asks:
        assert asks[0].cause.endswith("it took effect, and is not done again")
        again = SetArgs("t", {"less": True})
        world.tell(e.PlanProposed(RUN, asks[0].ask, plan(again, base=1)))
        assert [each.rule for each in world.happened(f.EditRefused)[-1].reasons] == ["once"]
    assert world.state("t") == "succeeded"
    world.do("u", "v")
    assert world.run().status == "succeeded"


def test_an_outcome_that_was_lost_stands_at_once_where_the_planner_may_not_be_asked():
    world = counted(effect=Effect.ONCE, limits=RunLimits(revisions=0))
    attempt = world.start("t")
    world.finish("t", Unknown("power was lost"))
    world.end(attempt, MANY)
    assert world.state("t") == "succeeded"
    assert not world.ordered(c.AskPlanner)


@pytest.mark.parametrize(
    ("happens", "kind"),
    [
        (lambda w: w.finish("t", Failed(FailureKind.BAD_INPUT, "broken")), "bad_input"),
        (lambda w: w.wait(6.0), f.Why.NO_DEVICE),
    ],
)
def test_the_planner_is_told_what_kind_of_failure_it_is(happens, kind):
    world = World()
    if kind == "bad_input":
        world.device("d")
    world.submit(task("t"), limits=RunLimits())
    happens(world)
    [ask] = world.ordered(c.AskPlanner)
    assert ask.kind == kind
    assert world.run().asks[ask.ask].kind == kind


@pytest.mark.parametrize(("by", "kind"), [("person", f.Why.PERSON), ("nobody", f.Why.UNKNOWN)])
def test_of_an_outcome_that_is_unknown_the_planner_is_told_who_says_so(by, kind):
    world = World()
    world.device("d", "work", effect=Effect.ONCE)
    once = task("t", effect=Effect.ONCE, limits=Limits(unknown_s=60.0))
    world.submit(once, limits=RunLimits())
    world.start("t")
    world.silence("d")
    world.wait(30.0)
    assert world.state("t") == "unknown"
    if by == "person":
        world.tell(e.SettleUnknown(RUN, "t", Failed(FailureKind.SKILL_ERROR, "no"), "ann"))
    else:
        world.wait(61.0)
    assert world.ordered(c.AskPlanner)[-1].kind == kind
