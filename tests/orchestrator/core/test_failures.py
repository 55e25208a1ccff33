"""What a task that failed says: how often, where and why, in one line."""

from dataclasses import replace

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import ReplaceTask
from orchestrator.core.engine import Engine
from orchestrator.core.failures import CHARACTERS, SHOWN, noted, told
from orchestrator.core.model import Limits, RunLimits
from orchestrator.core.rows import freeze
from orchestrator.core.saved import SavedTask
from orchestrator.core.tuning import Tuning
from orchestrator.journal.codec import decode_row, encode_row
from protocol.types import DeviceId, Failed, FailureKind, Rejected, TaskId
from tests.support.world import RUN, World, plan, task

ONE_LINE = 800  # characters


def bug(detail="a bug"):
    return Failed(FailureKind.SKILL_ERROR, detail)


def hiccup(detail="a hiccup"):
    return Failed(FailureKind.TRANSIENT, detail)


def fleet(*names, limits=None, tuning=None, **rest):
    world = World(tuning=tuning)
    for name in names:
        world.device(name)
    world.submit(task("t", limits=Limits(**rest)), limits=limits)
    return world


def test_a_task_that_failed_says_how_often_where_and_why():
    world = fleet("a", "b", attempts=3)
    for outcome in (hiccup(), hiccup(), hiccup("no power")):
        world.finish("t", outcome)
        world.wait(3.0)
    assert [offer.device for offer in world.happened(f.TaskPlaced)] == ["a", "b", "b"]
    assert (
        world.row("t").reason == "failed 3 times: on a: a hiccup; on b: a hiccup; on b: no power"
    )
    assert world.run().reason == f"t: {world.row('t').reason}"


def test_the_same_again_is_said_once():
    world = fleet("a", attempts=3)
    for _ in range(3):
        world.finish("t", hiccup())
        world.wait(3.0)
    assert world.row("t").reason == "failed 3 times: on a: a hiccup"


def test_one_failure_speaks_for_itself():
    world = fleet("a", attempts=1)
    world.finish("t", hiccup())
    assert world.row("t").reason == "a hiccup"


def test_why_nobody_goes_on_is_said_too():
    world = fleet("a", "b")
    world.finish("t", bug("one"))
    world.finish("t", bug("two"))
    reason = "failed 2 times: on a: one; on b: two (no other device can do it)"
    assert world.row("t").reason == reason


def test_so_it_is_when_the_last_one_leaves_before_it_is_free():
    world = World()
    for name in ("a", "b", "c"):
        world.device(name)
    world.submit(task("busy"), task("t"))
    world.start("busy")
    world.finish("t", bug("one"))
    world.finish("t", bug("two"))
    del world.alive[DeviceId("a")]
    world.tell(e.Unregistered(DeviceId("a")))
    reason = "failed 2 times: on b: one; on c: two (no other device can do it)"
    assert world.row("t").reason == reason


@pytest.mark.parametrize("times", [1, 2])
def test_another_end_names_the_failures_before_it(times):
    world = fleet("a", "b", tuning=Tuning(rejections=0))
    for _ in range(times):
        world.finish("t", hiccup())
        world.wait(3.0)
    world.finish("t", Rejected("busy"))
    before = {1: "failed on a: a hiccup", 2: "failed 2 times: on a: a hiccup; on b: a hiccup"}
    reason = f"every device refused it, last: busy; before that, it {before[times]}"
    assert world.row("t").reason == reason


def test_refusals_are_no_failures():
    world = fleet("a", attempts=1)
    world.finish("t", Rejected("busy"))
    world.wait(3.0)
    world.finish("t", hiccup())
    assert world.row("t").reason == "a hiccup"


def test_the_planner_is_told_all_of_it_and_what_kind_the_last_one_was():
    world = fleet("a", "b", limits=RunLimits(revisions=1), attempts=2)
    world.finish("t", hiccup())
    world.wait(3.0)
    world.finish("t", bug())
    (ask,) = world.ordered(c.AskPlanner)
    assert ask.cause == "failed 2 times: on a: a hiccup; on b: a bug"
    assert ask.kind == FailureKind.SKILL_ERROR
    world.tell(e.PlanFailed(RUN, ask.ask, "no idea"))
    assert world.row("t").reason == f"{ask.cause}; not mended: no idea"


def test_what_the_planner_replaced_has_not_failed_yet():
    world = fleet("a", "b", limits=RunLimits(revisions=1), attempts=2)
    for outcome in (hiccup(), bug()):
        world.finish("t", outcome)
        world.wait(3.0)
    (ask,) = world.ordered(c.AskPlanner)
    spec = task("t", limits=Limits(attempts=1))
    world.tell(e.PlanProposed(RUN, ask.ask, plan(ReplaceTask(spec), base=1)))
    world.finish("t", hiccup("once more"))
    assert world.row("t").reason == "once more"


@pytest.mark.parametrize("rows", [True, False])
def test_i11_a_restart_forgets_no_failure(rows):
    world = fleet("a", "b", attempts=2)
    world.finish("t", hiccup())
    world.wait(3.0)
    world.restart(rows=rows)
    world.finish("t", bug())
    assert world.row("t").reason == "failed 2 times: on a: a hiccup; on b: a bug"


def test_it_is_one_short_line_however_much_devices_say():
    failures = ()
    for n in range(50):
        failures = noted(failures, f"d{n}: " + "far too\nmuch " * 100)
    line = told(50, failures)
    assert line.startswith("failed 50 times, last: on d46: far too much")
    assert (line.count("on d"), line.count("…"), "\n" in line) == (SHOWN, SHOWN, False)
    assert len(failures) == SHOWN + 1
    assert len(line) < SHOWN * (CHARACTERS + 10) + 40 < ONE_LINE


def test_as_many_as_are_shown_are_not_the_last_ones():
    failures = ()
    for n in range(SHOWN):
        failures = noted(failures, f"d{n}: no")
    assert told(9, failures) == "failed 9 times: on d0: no; on d1: no; on d2: no; on d3: no"


def test_a_row_of_an_older_release_is_read_and_who_has_not_failed_has_no_longer_one():
    world = fleet("a", "b")
    key = ("task", RUN, "t")
    row = freeze(world.engine.state, key)
    assert b"fail" not in encode_row(row)
    older = decode_row(SavedTask, encode_row(replace(row, charged=1, reason="a: a hiccup")))
    engine = Engine()
    engine.restore([freeze(world.engine.state, ("run", RUN)), older])
    task_row = engine.state.runs[RUN].tasks[TaskId("t")]
    assert (task_row.charged, task_row.failed, task_row.failures) == (1, 0, ())
