"""Warm resources while the planner thinks: kept up to a limit, and what follows is learned."""

from dataclasses import replace

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveTask
from orchestrator.core.model import Limits, RunLimits
from protocol.types import Failed, FailureKind
from tests.support.pins import fleet, granted, infer, where
from tests.support.world import RUN, edge, plan, task


def asking(*, plan_s):
    """A session that was used, while the planner thinks about a task that failed."""
    world = fleet()
    bad = task("bad", "search", limits=Limits(attempts=1))
    world.submit(infer("t0"), bad, limits=RunLimits(plan_s=plan_s))
    world.finish("bad", Failed(FailureKind.BAD_INPUT, "wrong"))
    world.do("t0")
    return world


def test_while_the_planner_thinks_it_is_kept_up_to_its_limit_and_what_follows_is_learned():
    world = asking(plan_s=30.0)
    pin = granted(world)
    assert pin.awaits == "planner"
    assert pin.protected_until == pytest.approx(2.0)  # q = 1/2 of a reload of 4 s
    ask = world.ordered(c.AskPlanner)[-1].ask
    batch = plan(task("bad2", "search"), infer("t1"), edge("bad2", "t1"), RemoveTask("bad"))
    world.tell(e.PlanProposed(RUN, ask, replace(batch, base_revision=world.run().revision)))
    assert world.happened(f.ReuseObserved)[-1].reused
    assert granted(world).awaits == "search"
    assert world.engine.state.warmth.reuse_share("kv") == pytest.approx(2 / 3)


def test_a_planner_that_uses_it_no_more_lets_it_go():
    world = asking(plan_s=30.0)
    world.tell(e.PlanFailed(RUN, world.ordered(c.AskPlanner)[-1].ask, "no idea"))
    assert not world.happened(f.ReuseObserved)[-1].reused
    assert where(world) is None


def test_protection_ends_when_the_planner_must_have_answered():
    world = asking(plan_s=1.0)
    assert granted(world).protected_until == 1.0


@pytest.mark.parametrize("rows", [False, True])
def test_i11_what_a_revision_meant_survives_a_restart(rows):
    world = asking(plan_s=30.0)
    world.tell(e.PlanFailed(RUN, world.ordered(c.AskPlanner)[-1].ask, "no idea"))
    world.restart(rows=rows)
    assert world.engine.state.warmth.reuse_share("kv") == pytest.approx(1 / 3)
