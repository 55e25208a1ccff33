"""The order that rules keep: right after any history, and no larger than what waits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events as e
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Needs
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.shelf.common import turns
from orchestrator.core.scheduling.shelf.common.dues import due, left
from protocol.types import DeviceId, RunId
from tests.orchestrator.core.scheduling.shelf.driving import fleet, limits, play, world_of
from tests.support.world import World, task

BY_RULE = (Policy.EDD, Policy.MDD, Policy.GOODPUT, Policy.FAIR, Policy.SRPT_REVEALED)


class Growing(turns.Rule):
    """A group a run, whose turn grows with time in some; it falls as the run goes on."""

    def group(self, task, _now):
        return task.run

    def turn(self, task, now):
        run = self.run(task)
        left_of_it = sum(each.state is TaskState.READY for each in run.tasks.values())
        growth = now * (run.arrival % 3)
        return (growth + 2.0 * left_of_it, *self.within(task, now))


def ruled_by(rule):
    world = World(checked=False)
    world.engine._place = lambda board, now: turns.by_rule(board, now, rule)
    return world


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=4, max_size=12))
def test_the_least_turn_of_now_goes_first_whatever_came_went_and_grew(steps):
    world = ruled_by(Growing)
    world.device("d")
    world.submit(task("first"), run=RunId("first"))
    rule, runs = Growing(world.engine.state.board), world.engine.state.runs
    for n, (count, cancels) in enumerate(steps):
        world.at += 1.0
        world.submit(*(task(f"t{n}-{k}") for k in range(count)), run=RunId(f"r{n}"))
        (attempt,) = world.engine.state.attempts.values()
        old = RunId(f"r{n // 2}")
        if cancels and old != attempt.run:
            world.tell(e.CancelRun(old, "no longer wanted"))
        tasks = [each for run in runs.values() for each in run.tasks.values()]
        waiting = [each for each in tasks if each.demand is not None]
        expected = min(waiting, key=lambda each: rule.turn(each, world.at)) if waiting else None
        world.finish(attempt.task)
        if expected is None:
            return
        (attempt,) = world.engine.state.attempts.values()
        assert attempt.task == expected.spec.id


@pytest.mark.parametrize("policy", BY_RULE)
def test_what_waits_no_longer_is_dropped(policy, monkeypatch):
    monkeypatch.setattr(turns, "SPARE", 8)
    world = world_of(policy, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run=RunId("busy"))
    world.submit(task("first", estimate_s=1.0), run=RunId("first"), priority=1)
    for n in range(20):
        name = RunId(f"r{n}")
        world.submit(*(task(f"t{n}-{k}", estimate_s=1.0) for k in range(5)), run=name)
        world.tell(e.CancelRun(name, "no longer wanted"))
    world.submit(task("last", estimate_s=1.0), run=RunId("last"))
    lines = world.engine.state.board.plan
    assert lines._held <= 20
    play(world)
    assert lines._lines == {}


@pytest.mark.parametrize("policy", BY_RULE)
def test_skills_take_turns_by_the_same_rule(policy):
    """Each device can do both; who has the first turn is found across queues."""
    world = World(policy=policy)
    world.device("d", "a", "b")
    world.submit(task("x", "a", estimate_s=1.0), run=RunId("x"), owner="x")
    for n, skill in enumerate("abab"):
        limit = limits(deadline_s=900.0 + n)
        name = RunId(f"r{n}")
        world.submit(task(f"t{n}", skill, estimate_s=1.0), run=name, owner=name, limits=limit)
    assert [span.task for span in play(world)] == ["x", "t0", "t1", "t2", "t3"]


def test_as_it_stands_a_rule_is_the_order_of_the_board():
    world = ruled_by(turns.Rule)
    world.submit(task("a", estimate_s=1.0), task("b", estimate_s=2.0), run=RunId("r0"))
    world.submit(task("c", estimate_s=1.0), run=RunId("r1"), priority=1)
    world.device("d")
    assert [span.task for span in play(world)] == ["c", "b", "a"]


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("policy", BY_RULE)
def test_what_waits_when_a_coordinator_starts_again_is_not_forgotten(policy, rows):
    world = world_of(policy, *fleet(1))
    world.submit(*(task(f"t{n}", estimate_s=1.0) for n in range(4)), owner="a")
    world.finish("t0")
    world.restart(rows=rows)
    world.beat("d0", connected=True)
    world.hello("d0")
    world.settle()
    assert world.run().status == "succeeded"


def test_a_task_that_is_gone_before_it_is_looked_at_is_left_out():
    world = ruled_by(turns.Rule)
    world.device("d")
    world.submit(task("t"))
    world.finish("t")
    lines = world.engine.state.board.plan
    lines.added(world.row("t"))
    lines.take_in(world.at)
    assert lines._held == 0


def test_durations_are_those_of_the_quickest_device_that_can_take_it():
    world = World(policy=Policy.EDD)
    world.device("fast", speed=4.0)
    world.device("slow")
    for name in ("slow", "fast"):
        world.submit(task(f"on {name}", needs=Needs(device=DeviceId(name))), run=RunId(name))
    world.submit(task("t", estimate_s=8.0), limits=limits(deadline_s=6.0))
    board, row = world.engine.state.board, world.row("t")
    assert left(board, row) == (2.0, 2.0)
    assert due(board, row) == 6.0


def test_what_no_device_can_take_counts_as_on_a_reference_device():
    world = World(policy=Policy.EDD)
    world.submit(task("t", estimate_s=8.0))
    assert left(world.engine.state.board, world.row("t")) == (8.0, 8.0)
    assert due(world.engine.state.board, world.row("t")) == float("inf")


def test_what_was_left_before_the_rule_came_is_heard_of_though_it_did_not_change():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d")
    world.submit(task("t"), task("left"))
    board = world.engine.state.board
    (demand,) = board.demands()
    assert not board.changed
    assert not list(turns.by_rule(board, world.at, turns.Rule))
    assert board.plan.first(demand, world.at) is not None
