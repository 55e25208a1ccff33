"""Which plans are repaired: those that are small enough."""

import pytest

from orchestrator.core.scheduling import one_plan
from tests.support.one_plan import a_world, done_early, plan, timed
from tests.support.world import edge


def early(most, monkeypatch):
    """One of two devices is done long before it was planned to be; return where tasks went."""
    monkeypatch.setattr(one_plan, "REPAIRED", most)
    world = a_world(1.0, 1.0)
    world.submit(*(timed(f"t{n}", 10.0) for n in range(4)))
    done_early(world)
    return [offer.device for offer in world.offers.values()]


@pytest.mark.parametrize(("most", "where"), [(1.0, ["d1"]), (0.9, [])])
def test_a_plan_whose_repair_takes_too_long_is_followed_as_it_was_made(most, where, monkeypatch):
    assert early(most, monkeypatch) == ["d0", "d1", "d1", *where]


def test_a_plan_that_is_not_repaired_is_not_looked_at_before_its_end(monkeypatch):
    monkeypatch.setattr(one_plan, "REPAIRED", 0.9)
    world = a_world(2.0)
    world.submit(timed("t", 10.0), timed("u", 10.0))
    assert world.engine.state.board.look_at == pytest.approx(10.0)
    world.wait(10.0)
    world.settle()
    assert world.run().status == "succeeded"


def test_dependencies_count_as_tasks_do():
    world = a_world(1.0)
    world.submit(*(timed(name, 10.0) for name in "abc"), edge("a", "b"), edge("a", "c"))
    assert plan(world).each == pytest.approx(5 / 3)
    assert one_plan._repair_takes(plan(world)) == pytest.approx(10 / 3)
