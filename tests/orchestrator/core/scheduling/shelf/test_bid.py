from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import Needs
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.shelf.common.matching import assign
from protocol.types import DeviceId, ResourceNeed
from tests.orchestrator.core.scheduling.shelf.driving import drawn, fleet, world_of
from tests.support.world import task


@settings(max_examples=50)
@given(st.data())
def test_an_assignment_costs_the_least_of_all(data):
    rows = data.draw(st.integers(1, 5))
    columns = data.draw(st.integers(rows, 6))
    cell = st.integers(0, 9).map(float)
    row = st.lists(cell, min_size=columns, max_size=columns)
    cost = data.draw(st.lists(row, min_size=rows, max_size=rows))
    found = assign(cost)
    assert len(set(found)) == rows
    least = min(
        sum(cost[n][c] for n, c in enumerate(some)) for some in permutations(range(columns), rows)
    )
    assert sum(cost[n][c] for n, c in enumerate(found)) == least


def test_nothing_is_assigned_to_nobody():
    assert assign([]) == []


def suited(policy, seed, count=4):
    """Tasks of skills that suit the devices differently, which are all free at once.

    A task that all wait for ends, and with it every device's own: so they come in one step.
    """
    skills = [f"s{n}" for n in range(count)]
    world = world_of(policy)
    paces = [[drawn(seed, count * s + d, 1, 9) for d in range(count)] for s in range(count)]
    for d in range(count):
        world.device(f"d{d}", *skills)
        for s, skill in enumerate(skills):
            for _ in range(300):  # then what was measured counts, and nothing else
                for engine in (world.engine, world.fold):
                    engine.state.estimates.observe(
                        skill, DeviceId(f"d{d}"), float(paces[s][d]), speed=1.0, declared=1.0
                    )
    world.submit(*(task(f"t{n}", skill, estimate_s=1.0) for n, skill in enumerate(skills)))
    where = [int(world.where(f"t{n}")[1:]) for n in range(count)]
    least = min(
        sum(paces[n][d] for n, d in enumerate(some)) for some in permutations(range(count))
    )
    return sum(paces[n][d] for n, d in enumerate(where)), least


@pytest.mark.parametrize("seed", range(6))
def test_no_other_assignment_takes_less_in_sum(seed):
    total, least = suited(Policy.BID, seed)
    assert total == least


def test_one_after_the_other_takes_more():
    found = [suited(Policy.FIFO, seed) for seed in range(6)]
    assert sum(total for total, _ in found) > sum(least for _, least in found)


def test_where_slots_are_few_the_first_in_turn_have_them_however_long_they_take():
    world = world_of(Policy.BID, *fleet(2))
    world.submit(*(task(f"long{n}", estimate_s=50.0) for n in range(2)), run="r0")
    world.submit(*(task(f"short{n}", estimate_s=1.0) for n in range(2)), run="r1")
    world.device("d2")
    assert [offer.task for offer in world.offers.values()] == ["long0", "long1", "short0"]


def test_more_than_can_be_matched_at_once_is_placed_in_the_same_step():
    world = world_of(Policy.BID, *fleet(5, slots=6))
    world.submit(*(task(f"t{n}") for n in range(40)))
    assert len(world.offers) == 30


def test_who_finds_the_memory_taken_by_one_of_the_same_batch_waits():
    world = world_of(Policy.BID, *fleet(1, slots=2, capacity={"cache": 1.0}))
    needs = [Needs(resources=(ResourceNeed("cache", key, 1.0),)) for key in "ab"]
    world.submit(*(task(f"t{n}", needs=each) for n, each in enumerate(needs)))
    assert [offer.task for offer in world.offers.values()] == ["t0"]
    world.settle()
    assert world.run().status == "succeeded"
