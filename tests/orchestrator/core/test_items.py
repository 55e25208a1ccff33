"""Items of a `for_each` that fail: the planner is asked once, for all of them, by their join."""

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import SetArgs
from orchestrator.core.model import ForEach, Now, RunLimits
from protocol.types import Failed, FailureKind, Succeeded, TaskId
from tests.support.world import RUN, World, plan, task

ITEMS = 5
WRONG = Failed(FailureKind.BAD_INPUT, "wrong")


def expanded(*, revisions=2, **loop):
    """`all` was expanded over some items, each of which is at work."""
    world = World()
    world.device("d", slots=ITEMS)
    args = {"n": {"$item": []}}
    one = task("all", args=args, for_each=ForEach([*range(ITEMS)], **loop))
    world.submit(one, limits=RunLimits(revisions=revisions))
    for n in range(ITEMS):
        world.start(f"all[{n}]")
    return world


def test_items_that_fail_ask_once_together_and_the_run_has_its_other_revisions_left():
    world = expanded()
    for n in range(ITEMS):
        assert world.ordered(c.AskPlanner) == []
        world.finish(f"all[{n}]", WRONG)
    (ask,) = world.ordered(c.AskPlanner)
    assert (ask.task, ask.kind, world.run().asked) == ("all", f.Why.ITEMS, 1)
    assert ask.cause.startswith("0 of 5 succeeded, 5 needed (0: wrong; 1: wrong; 2: wrong)")
    again = SetArgs(TaskId("all"), {"n": 1})
    world.tell(e.PlanProposed(RUN, ask.ask, plan(again, base=world.run().revision)))
    for n in range(ITEMS):
        world.finish(f"all[{n}]", WRONG)
    assert len(world.ordered(c.AskPlanner)) == world.run().asked == 2


def test_an_expansion_that_succeeds_costs_no_revision():
    world = expanded()
    for n in range(ITEMS):
        world.finish(f"all[{n}]", Succeeded(n))
    assert (world.run().status, world.run().asked, world.run().revision) == ("succeeded", 0, 1)


def test_where_enough_items_succeed_nobody_is_asked():
    world = expanded(min_success=2)
    for n in range(ITEMS):
        world.finish(f"all[{n}]", WRONG if n < 3 else None)
    assert world.ordered(c.AskPlanner) == []
    assert [one["reason"] for one in world.row("all").output["missing"]] == ["wrong"] * 3


def test_an_item_fails_at_once_and_the_others_go_on():
    world = expanded()
    world.finish("all[0]", WRONG)
    assert (world.state("all[0]"), world.state("all[1]")) == ("failed", "active")


def test_an_item_that_asked_in_an_older_release_still_gets_its_answer():
    """What was written then is folded as it was: the question is open, and was counted."""
    world = expanded()
    one, due = TaskId("all[0]"), 500.0
    asked = f.PlanAsked(RUN, "run/0", one, "wrong", due, FailureKind.BAD_INPUT)
    back = f.TaskRecovering(RUN, one, f.Awaiting.PLANNER, due, None, charged=False, why="wrong")
    attempt = world.row(one).live
    for fact in (f.AttemptFailed(RUN, one, attempt, WRONG.kind, "wrong"), back, asked):
        world.engine.apply(fact)
    assert world.run().asked == 1
    decision = world.engine.decide(
        e.PlanFailed(RUN, "run/0", "no idea"), now=Now(world.wall, world.at)
    )
    assert [type(fact) for fact in decision.facts][-1] is f.TaskFailed
    assert world.row(one).reason == "wrong; not mended: no idea"
