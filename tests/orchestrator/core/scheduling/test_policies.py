"""What holds for every policy, and what tells them apart."""

import pytest

from orchestrator.core.scheduling.policies import POLICIES, Policy
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
