"""What holds for every policy, and what tells them apart."""

import pytest

from orchestrator.core.engine import Engine
from orchestrator.core.scheduling.board import all_of
from orchestrator.core.scheduling.policies import POLICIES, Parameters, Policy
from orchestrator.core.scheduling.shelf.tiered import Bounds
from tests.support.world import World, edge, task


def test_every_name_has_a_policy():
    assert set(POLICIES) == set(Policy)


@pytest.mark.parametrize("policy", Policy)
def test_i5_precedence_and_slots_are_kept_and_the_run_succeeds(policy):
    world = World(policy=policy)
    world.device("d1", slots=2)
    world.device("d2", speed=3.0)
    layers = [task(f"t{n}", estimate_s=float(n % 4 + 1)) for n in range(12)]
    edges = [edge(f"t{n - 4}", f"t{n}") for n in range(4, 12)]
    world.submit(*layers, *edges)
    assert len(world.offers) == 3
    world.settle()
    assert world.run().status == "succeeded"


@pytest.mark.parametrize(("policy", "offers"), [(Policy.FIFO, 2), (Policy.EARLIEST_FINISH, 1)])
def test_only_earliest_finish_leaves_a_task_to_a_busy_device_that_is_better(policy, offers):
    world = World(policy=policy)
    world.device("fast", speed=10.0)
    world.device("slow")
    world.submit(task("t0", estimate_s=10.0), task("t1", estimate_s=10.0))
    assert len(world.offers) == offers


def test_an_engine_takes_the_parameters_of_its_policy():
    """A task of 5 s is one for the edge, where 10 s would be easy enough for a device."""
    world = World(policy=Policy.TIERED)
    bounds = Bounds(device_s=1.0, edge_s=10.0)
    world.engine = Engine(policy=Policy.TIERED, parameters=Parameters(tiered=bounds))
    world.device("phone")
    world.device("gateway", labels={"tier": "edge"})
    world.submit(task("t", estimate_s=5.0))
    assert world.where("t") == "gateway"


@pytest.mark.parametrize("policy", Policy)
def test_a_policy_named_in_plain_text_allows_the_same_copies(policy):
    allows = [
        Engine(policy=each).state.board.eligible is all_of for each in (policy, policy.value)
    ]
    assert allows == [policy is not Policy.TIERED] * 2


def test_a_policy_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"policy is 'earliest_finish', .*, not 'hefty'"):
        Engine(policy="hefty")
