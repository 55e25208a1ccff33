import random
from dataclasses import replace

import pytest

from benchmarks.simulation import plans
from benchmarks.simulation.plans import AMPLE, MIN_TASKS, SHAPES, plan, tasks
from benchmarks.simulation.setting import USUAL, draw
from orchestrator.core.engine import Engine
from orchestrator.core.events import Submit
from orchestrator.core.model import Now
from orchestrator.core.scheduling.policies import Policy
from protocol.types import RunId


@pytest.mark.parametrize("shape", SHAPES)
def test_every_plan_has_enough_tasks_and_is_accepted(shape):
    for seed in range(10):
        batch = plan(random.Random(seed), shape, once=0.3, asks=0.1, warm=0.5, limits=AMPLE)
        assert len(list(tasks(batch))) >= MIN_TASKS
        engine = Engine()
        engine.decide(Submit(RunId("r"), "k", "x", plan=batch), now=Now(0.0, 0.0))
        engine.check()


def test_share_of_once_is_that_which_was_asked_for():
    none = plan(random.Random(0), "fan_out", once=0.0, asks=0.0, warm=0.0, limits=AMPLE)
    every = plan(random.Random(0), "fan_out", once=1.0, asks=0.0, warm=0.0, limits=AMPLE)
    assert {spec.skill for spec in tasks(none)} == {"compute", "write"}
    assert {spec.skill for spec in tasks(every)} == {"act"}


def test_share_of_warm_is_that_which_was_asked_for():
    draft = {"once": 0.0, "asks": 0.0, "limits": AMPLE}
    none = plan(random.Random(0), "fan_out", warm=0.0, **draft)
    every = plan(random.Random(0), "fan_out", warm=1.0, **draft)
    assert not any(spec.needs.resources for spec in tasks(none))
    assert all(spec.needs.resources for spec in tasks(every))


def test_what_comes_unexpected_changes_nothing_else_of_a_plan(monkeypatch):
    draft = {"once": 0.3, "asks": 0.1, "warm": 0.5, "limits": AMPLE}
    for shape in SHAPES:
        monkeypatch.setattr(plans, "EXPECTING", 0.0)
        none = list(tasks(plan(random.Random(0), shape, **draft)))
        monkeypatch.setattr(plans, "EXPECTING", 1.0)
        every = list(tasks(plan(random.Random(0), shape, **draft)))
        assert all(spec.expect for spec in every)
        assert [replace(spec, expect=None) for spec in every] == none
    monkeypatch.undo()
    drawn = [spec.expect for seed in range(20) for spec in draw(seed).specs(0)]
    assert 0.05 < sum(map(bool, drawn)) / len(drawn) < 0.2


def test_seed_alone_says_what_a_world_is():
    assert draw(5) == draw(5)
    assert draw(5).batch(0) == draw(5).batch(0)
    assert draw(5).batch(0) != draw(5).batch(1)
    assert all(len(draw(seed).cards) >= 3 for seed in range(50))


def test_a_policy_more_on_the_shelf_changes_no_world_but_its_own():
    drawn = {seed: draw(seed).policy for seed in range(400)}
    shelf = {policy for seed, policy in drawn.items() if seed % 4 == 1}
    assert shelf == set(Policy) - set(USUAL)
    assert {policy for seed, policy in drawn.items() if seed % 4 != 1} == set(USUAL)
    assert [drawn[seed] for seed in (204, 22, 44, 191)] == [
        "fifo",
        "one_plan",
        "earliest_finish",
        "earliest_finish",
    ]
