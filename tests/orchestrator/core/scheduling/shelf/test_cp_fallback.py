from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import Needs
from orchestrator.core.scheduling.policies import Parameters, Policy, chosen
from orchestrator.core.scheduling.shelf.common.packing import (
    NOWHERE,
    Packed,
    Packing,
    first_fit,
    score,
    solve,
)
from protocol.types import PinScope, Resource, ResourceNeed
from tests.orchestrator.core.scheduling.shelf.driving import world_of
from tests.support.world import task


@pytest.mark.parametrize(("policy", "placed"), [(Policy.CP_FALLBACK, 2), (Policy.FIFO, 1)])
def test_what_a_heuristic_leaves_over_is_placed(policy, placed):
    """The first may go anywhere and takes the quick device; the second can only go there."""
    world = world_of(policy, ("quick", {"speed": 4.0, "labels": {"gpu": "yes"}}), ("slow", {}))
    world.submit(
        task("any", estimate_s=9.0),
        task("gpu", estimate_s=8.0, needs=Needs(labels={"gpu": "yes"})),
    )
    assert len(world.offers) == placed


def test_another_solver_may_be_asked_and_what_it_gets_wrong_is_not_placed():
    """It says that the quick device takes both, which has one slot."""

    def wrong(_packing, first):
        return Packed([0] * len(first), proven=True)

    world = world_of(Policy.CP_FALLBACK, ("quick", {"labels": {"gpu": "yes"}}), ("slow", {}))
    world.engine._place = chosen(Policy.CP_FALLBACK, Parameters(solver=wrong))
    gpu = Needs(labels={"gpu": "yes"})
    world.submit(task("any", estimate_s=9.0), task("gpu", estimate_s=8.0, needs=gpu))
    assert len(world.offers) == 1


def memory(key, amount):
    return Needs(resources=(ResourceNeed("mem", key, amount, PinScope.SHARED),))


@pytest.mark.parametrize(("policy", "placed"), [(Policy.CP_FALLBACK, 4), (Policy.FIFO, 3)])
def test_memory_is_packed_so_that_all_fit(policy, placed):
    """4 + 3 + 2 + 1 into 5 and 5; by turn 2 goes beside 3, no, first fit: 4 + 1 and 3 + 2 fit."""
    world = world_of(
        policy,
        *(
            (name, {"slots": 4, "capacity": {"mem": 5.0}, "speed": v})
            for name, v in (("a", 2.0), ("b", 1.0))
        ),
    )
    sizes = {"t0": 2.0, "t1": 1.0, "t2": 4.0, "t3": 3.0}
    ranks = {"t0": 9.0, "t1": 8.0, "t2": 7.0, "t3": 6.0}
    world.submit(
        *(task(n, estimate_s=ranks[n], needs=memory(n, size)) for n, size in sizes.items())
    )
    assert len(world.offers) == placed


def test_a_resource_that_two_tasks_share_is_charged_once():
    world = world_of(Policy.CP_FALLBACK, ("d", {"slots": 3, "capacity": {"mem": 5.0}}))
    world.submit(*(task(f"t{n}", needs=memory("one", 5.0)) for n in range(3)))
    assert len(world.offers) == 3


def test_what_is_in_use_stays_charged():
    world = world_of(Policy.CP_FALLBACK, ("d", {"slots": 3, "capacity": {"mem": 5.0}}))
    world.submit(task("first", needs=memory("one", 4.0)), run="r0")
    world.submit(task("second", needs=memory("two", 4.0)), task("third", needs=memory("one", 4.0)))
    assert world.state("second") == "ready"
    assert world.where("third") == "d"
    world.settle()


def test_more_tasks_than_are_packed_at_once_are_placed_in_the_same_step():
    world = world_of(Policy.CP_FALLBACK, ("d", {"slots": 50}), checked=False)
    world.submit(*(task(f"t{n}") for n in range(60)))
    assert len(world.offers) == 50


@st.composite
def packings(draw):
    devices, tasks = draw(st.integers(1, 3)), draw(st.integers(0, 5))
    tiers = sorted(draw(st.lists(st.integers(0, 1), min_size=tasks, max_size=tasks)))
    choices, loads = [], []
    for _ in range(tasks):
        chosen = draw(st.lists(st.integers(0, devices - 1), unique=True, max_size=devices))
        choices.append(chosen)
        name = Resource("mem", draw(st.sampled_from("abc")))
        loads.append([{name: {"a": 1.0, "b": 2.0, "c": 3.0}[name.key]} for _ in chosen])
    slots = draw(st.lists(st.integers(0, 2), min_size=devices, max_size=devices))
    room = draw(st.lists(st.integers(0, 4).map(float), min_size=devices, max_size=devices))
    return Packing(tiers, choices, loads, slots, [{"mem": each} for each in room])


def fits(packing, device):
    for here, slots in enumerate(packing.slots):
        mine = [n for n, where in enumerate(device) if where == here]
        warm = {}
        for n in mine:
            warm |= packing.loads[n][packing.choices[n].index(here)]
        if len(mine) > slots or sum(warm.values()) > packing.memory[here]["mem"]:
            return False
    return True


@settings(max_examples=80)
@given(packings())
def test_what_is_proven_is_the_best_of_all_answers(packing):
    first = first_fit(packing)
    found = solve(packing, first)
    every = product(*([*choices, NOWHERE] for choices in packing.choices))
    best = max(score(packing, each, first) for each in every if fits(packing, each))
    assert found.proven
    assert fits(packing, first)
    assert fits(packing, found.device)
    assert score(packing, found.device, first) == best


def test_a_window_that_is_too_small_proves_nothing_and_keeps_the_first_answer():
    packing = Packing([0, 0], [[0, 1], [0]], [[{}, {}], [{}]], [1, 1], [{}, {}])
    first = first_fit(packing)
    assert first == [0, NOWHERE]
    short = solve(packing, first, nodes=2)
    assert (list(short.device), short.proven) == ([0, NOWHERE], False)
    assert solve(packing, first) == ([1, 0], True)


def test_of_equal_answers_the_one_that_moves_the_fewest_is_taken():
    """The first and the second could each make room for the third; only one has to move."""
    packing = Packing(
        [0] * 3, [[0, 1, 2], [1, 2, 0], [0]], [[{}] * 3, [{}] * 3, [{}]], [1] * 3, [{}] * 3
    )
    found = solve(packing, first_fit(packing))
    assert found.device[2] == 0
    assert found.device[1] == 1


def test_a_higher_priority_is_placed_before_more_of_a_lower_one():
    large, small = {Resource("mem", "l"): 3.0}, [{Resource("mem", f"s{n}"): 2.0} for n in range(2)]
    packing = Packing(
        [0, 1, 1], [[0], [0], [0]], [[large], [small[0]], [small[1]]], [3], [{"mem": 4.0}]
    )
    assert solve(packing, [NOWHERE, 0, 0]).device == [0, NOWHERE, NOWHERE]


def test_memory_that_two_share_is_free_again_when_both_are_taken_out():
    a, b = {Resource("mem", "a"): 1.0}, {Resource("mem", "b"): 1.0}
    packing = Packing([0] * 3, [[0]] * 3, [[a], [a], [b]], [3], [{"mem": 1.0}])
    assert solve(packing, first_fit(packing)) == ([0, 0, NOWHERE], True)
    assert solve(packing, [NOWHERE, NOWHERE, 0]) == ([0, 0, NOWHERE], True)
