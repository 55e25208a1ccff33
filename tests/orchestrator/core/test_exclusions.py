"""Devices that a task was excluded from, once no other is there: yield, wait or fail."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import ReplaceTask
from orchestrator.core.model import Limits, RunLimits
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Failed, FailureKind, Load, Rejected
from tests.support.world import RUN, World, card, plan, task

SOFT = Failed(FailureKind.TRANSIENT, "a hiccup")
HARD = Failed(FailureKind.SKILL_ERROR, "a bug")
LEAVES = {
    "unregistered": lambda world: world.tell(e.Unregistered(DeviceId("d1"))),
    "lost": lambda world: world.tell(e.Announced(card("d1"), online=False)),
    "draining": lambda world: world.beat("d1", load=Load(draining=True)),
    "changed": lambda world: world.tell(e.Announced(card("d1", "other"), online=True)),
}


def failed_on(outcome):
    """A task that failed on `d2` and is excluded from it: `d1` is there, but busy."""
    world = World()
    world.device("d1")
    world.device("d2", slots=2)
    world.submit(task("busy"), task("t"))
    assert (world.where("busy"), world.where("t")) == ("d1", "d2")
    world.start("busy")
    world.finish("t", outcome)
    world.wait(1.0)
    assert world.state("t") == "ready"
    assert world.row("t").excluded == {"d2"}
    return world


def gone(world, how="unregistered"):
    """Let the one leave that was busy."""
    del world.alive[DeviceId("d1")]
    LEAVES[how](world)


@pytest.mark.parametrize("how", LEAVES)
def test_an_exclusion_yields_after_a_pause_when_no_other_device_is_there(how):
    world = failed_on(SOFT)
    gone(world, how)
    assert world.state("t") == "recovering"
    assert world.row("t").excluded == frozenset()
    assert world.row("t").rejections == 0, "nobody refused it"
    world.wait(2.0)
    assert [offer.device for offer in world.ordered(c.Offer, task="t")] == ["d2", "d2"]
    world.do("t")
    assert world.state("t") == "succeeded"


@pytest.mark.parametrize("how", ["unregistered", "changed"])
def test_a_task_that_would_fail_there_again_fails_at_once_with_the_reason(how):
    world = failed_on(HARD)
    gone(world, how)
    assert world.state("t") == "failed"
    assert world.row("t").reason == "d2: a bug (no other device can do it)"


@pytest.mark.parametrize("how", ["lost", "draining"])
def test_a_task_that_would_fail_there_again_waits_for_one_that_may_come_back(how):
    world = failed_on(HARD)
    gone(world, how)
    assert world.state("t") == "ready"
    world.beat("d1", connected=True)
    assert world.state("t") in {"ready", "active"}
    assert not world.happened(f.TaskFailed)


def test_an_exclusion_yields_once_the_excluded_device_is_back():
    world = failed_on(SOFT)
    world.silence("d2")
    world.tell(e.Announced(card("d2", slots=2), online=False))
    gone(world)
    assert world.state("t") == "ready", "there is nobody at all"
    world.beat("d2", connected=True)
    world.wait(2.0)
    assert len(world.ordered(c.Offer, task="t")) == 2


def test_an_exclusion_that_became_idle_during_the_pause_yields_when_it_ends():
    world = World()
    world.device("d1")
    world.device("d2")
    world.submit(task("t"))
    world.finish("t", SOFT)
    assert world.state("t") == "recovering"
    del world.alive[DeviceId("d2")]
    world.tell(e.Unregistered(DeviceId("d2")))
    world.wait(5.0)
    assert world.where("t") == "d1"
    assert len(world.offers) == 2


def test_a_task_whose_last_capable_device_left_does_not_wait_its_queue_limit():
    world = World()
    world.device("d")
    world.submit(task("busy"), task("t", limits=Limits(queue_s=900.0)))
    world.silence("d")
    world.tell(e.Unregistered(DeviceId("d")))
    world.wait(6.0)
    assert world.row("t").reason == "no known device offers skill 'work'"


def test_a_device_that_changes_for_the_better_serves_what_nobody_could():
    world = World()
    world.device("d", "other")
    world.submit(task("t"))
    world.tell(e.Announced(card("d"), online=True))
    assert world.state("t") == "active"


def test_the_excluded_in_a_paused_run_are_looked_at_when_it_is_resumed():
    world = failed_on(SOFT)
    world.tell(e.PauseRun(RUN))
    gone(world)
    assert world.state("t") == "ready"
    world.tell(e.ResumeRun(RUN))
    assert world.state("t") == "recovering"
    world.wait(2.0)
    assert len(world.ordered(c.Offer, task="t")) == 2


def test_a_task_that_the_planner_replaced_is_excluded_from_nothing():
    world = World()
    world.device("d1")
    world.device("d2")
    world.submit(task("t"), limits=RunLimits(revisions=1))
    world.finish("t", HARD)
    world.finish("t", HARD)
    (ask,) = world.ordered(c.AskPlanner)
    assert world.row("t").barred == {"d1"}
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(task("t")), base=1)))
    assert world.row("t").barred == world.row("t").excluded == frozenset()
    world.do("t")


# Refusals in a row


def test_refusals_are_counted_in_a_row():
    world = World(tuning=Tuning(rejections=2))
    world.device("d")
    world.submit(task("t", limits=Limits(attempts=9)))
    for _ in range(2):
        world.finish("t", Rejected("busy"))
        world.wait(3.0)
    assert world.row("t").rejections == 2
    world.start("t")
    assert world.row("t").rejections == 0, "it was taken"
    world.finish("t", SOFT)
    world.wait(3.0)
    for _ in range(2):
        world.finish("t", Rejected("busy"))
        world.wait(3.0)
    assert world.state("t") == "active"
    world.finish("t", Rejected("still busy"))
    assert world.state("t") == "failed"


def test_a_failure_between_them_ends_a_row_of_refusals():
    world = World(tuning=Tuning(rejections=2))
    world.device("d")
    world.submit(task("t", limits=Limits(attempts=9)))
    for outcome in (Rejected("busy"), SOFT):
        world.finish("t", outcome)
        world.wait(3.0)
    assert world.row("t").rejections == 0


def test_a_question_to_the_planner_is_no_refusal():
    world = World()
    world.device("d")
    world.submit(task("t"), limits=RunLimits(revisions=1))
    world.finish("t", Failed(FailureKind.BAD_INPUT, "wrong"))
    assert world.row("t").rejections == 0
