"""How long ended runs are kept, and what is left of those that are forgotten."""

from math import inf

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.decisions import retention
from orchestrator.core.errors import InvariantError, UnknownRunError
from orchestrator.core.rows import every, freeze
from orchestrator.core.tuning import Tuning
from protocol.types import AttemptId, DeviceId, RunId, Succeeded
from tests.support.world import World, task

DAY_S = 86400.0


def world_with(**limits) -> World:
    world = World(tuning=Tuning(**limits))
    world.device("d", slots=4)
    return world


def ended(world: World, *runs: str) -> None:
    for run in runs:
        world.submit(task(f"t-{run}"), run=RunId(run))
        world.do(f"t-{run}")


def test_the_oldest_ended_runs_go_when_there_are_too_many():
    world = world_with(keep_runs=2)
    ended(world, "a", "b", "c", "d")
    assert list(world.engine.state.runs) == ["c", "d"]
    assert [fact.run for fact in world.happened(f.RunForgotten)] == ["a", "b"]


def test_a_run_that_has_not_ended_is_never_too_many():
    world = world_with(keep_runs=1)
    world.submit(task("t"), run=RunId("live"))
    ended(world, "a", "b")
    assert list(world.engine.state.runs) == ["live", "b"]


def test_the_last_run_stays_however_many_tasks_it_has():
    world = world_with(keep_tasks=2)
    ended(world, "a", "b", "c")
    assert list(world.engine.state.runs) == ["b", "c"]
    world.submit(*(task(f"x{n}") for n in range(4)), run=RunId("large"))
    world.do(*(f"x{n}" for n in range(4)))
    assert list(world.engine.state.runs) == ["large"]


def test_a_run_goes_when_it_is_too_old_and_its_age_counts_through_a_restart():
    world = world_with(keep_s=DAY_S)
    world.alive.clear()
    ended(world, "a")
    world.at += DAY_S / 2
    ended(world, "b")
    world.restart(away_s=DAY_S / 4, elapsed=0.0)
    world.at = world.engine.state.timers.pending()[retention.KEPT]
    assert world.at == pytest.approx(DAY_S / 4, abs=1.0)
    world.tell(e.TimePassed())
    assert list(world.engine.state.runs) == ["b"]
    world.at = world.engine.state.timers.pending()[retention.KEPT]
    world.tell(e.TimePassed())
    assert not world.engine.state.runs


def test_what_is_too_old_while_nobody_coordinates_goes_at_the_start():
    world = world_with(keep_s=DAY_S)
    ended(world, "a")
    world.restart(away_s=2 * DAY_S, rows=True)
    assert not world.engine.state.runs


def test_without_an_age_there_is_no_deadline_for_it():
    world = world_with(keep_s=inf)
    ended(world, "a")
    assert retention.KEPT not in world.engine.state.timers.pending()


def test_a_run_stays_while_a_device_is_charged_with_an_attempt_of_it():
    world = world_with(keep_runs=1)
    world.device("away")
    world.submit(task("t"), run=RunId("a"))
    world.start("t")
    world.silence(world.where("t"))
    world.wait(60.0)  # it lapses; elsewhere it succeeds
    world.do("t")
    ended(world, "b", "c")
    assert list(world.engine.state.runs) == ["a", "c"]
    lapsed = world.engine.state.attempts
    assert [attempt.run for attempt in lapsed.values()] == ["a"]
    world.end(next(iter(lapsed)), Succeeded(1))
    world.wait(retention.RETRY_S)
    assert list(world.engine.state.runs) == ["c"]


def test_its_key_makes_a_new_run_only_after_a_run_is_forgotten():
    world = world_with(keep_runs=1)
    ended(world, "a")
    assert not world.submit(task("t"), run=RunId("a")).facts
    ended(world, "b")
    assert world.submit(task("t"), run=RunId("a")).facts
    with pytest.raises(UnknownRunError):
        world.engine.snapshot(RunId("b2"))


def test_a_result_that_comes_after_its_run_is_forgotten_is_acknowledged():
    world = world_with(keep_runs=1)
    ended(world, "a", "b")
    late = e.AttemptFinished(DeviceId("d"), AttemptId("x"), Succeeded(1), 1.0, RunId("a"))
    world.restart(rows=True)
    assert world.tell(late).commands == (c.Acknowledge(DeviceId("d"), AttemptId("x")),)


def test_of_a_run_that_another_coordinator_took_nothing_is_said_when_it_is_forgotten():
    world = world_with(keep_runs=1)
    world.submit(task("t"), run=RunId("a"))
    attempt = world.start("t")
    world.tell(e.Superseded(DeviceId("d"), attempt, 9))
    ended(world, "b")
    assert list(world.engine.state.runs) == ["b"]
    late = e.AttemptFinished(DeviceId("d"), AttemptId("x"), Succeeded(1), 1.0, RunId("a"))
    assert not world.tell(late).commands
    world.beat("d")
    assert not world.ordered(c.ReleaseRun)


def test_devices_that_worked_for_a_run_hear_that_it_is_forgotten_with_their_next_beat():
    world = world_with(keep_runs=1)
    world.device("idle")
    ended(world, "a", "b")
    worked = {offer.device for offer in world.ordered(c.Offer, run="a")}
    world.beat("d")
    world.beat("idle")
    world.beat("d")
    released = world.ordered(c.ReleaseRun)
    assert released == [c.ReleaseRun(device, RunId("a")) for device in worked]


def test_a_device_that_left_is_told_nothing():
    world = world_with(keep_runs=1)
    ended(world, "a")
    world.tell(e.Unregistered(DeviceId("d")))
    world.device("other")
    ended(world, "b")
    assert not world.engine.state.releases.keys() - {"other"}
    world.tell(e.Unregistered(DeviceId("other")))
    assert not world.engine.state.releases


def test_only_so_many_forgotten_runs_are_known(monkeypatch):
    monkeypatch.setattr(retention, "FORGOTTEN_KEPT", 2)
    world = world_with(keep_runs=1)
    ended(world, "a", "b", "c", "d")
    assert list(world.engine.state.forgotten) == ["b", "c"]
    world.restart(rows=True)
    assert list(world.engine.state.forgotten) == ["b", "c"]
    assert ("forgotten", "b") in every(world.engine.state)
    assert freeze(world.engine.state, ("forgotten", "a")) is None


def test_tasks_of_forgotten_runs_are_let_go_of_piecemeal():
    world = world_with(keep_runs=1)
    world.submit(*(task(f"x{n}") for n in range(5)), run=RunId("a"))
    world.do(*(f"x{n}" for n in range(5)))
    ended(world, "b")
    state = world.engine.state
    assert state.sweep(3)
    assert state.sweep(1)
    assert not state.sweep(3)
    assert not state.litter


@pytest.mark.parametrize(
    ("break_it", "invariant"),
    [
        (lambda state: state.live.clear(), "I2"),
        (lambda state: state.ended.clear(), "I2"),
        (lambda state: setattr(state, "ended_tasks", 7), "I2"),
        (lambda state: setattr(state.runs[RunId("live")], "charged", 7), "I5"),
    ],
)
def test_a_count_that_is_wrong_breaks_an_invariant(break_it, invariant):
    world = world_with()
    ended(world, "a")
    world.submit(task("t"), run=RunId("live"))
    break_it(world.engine.state)
    with pytest.raises(InvariantError, match=invariant):
        world.engine.check()
