from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import fleet, world_of
from tests.support.world import task


def test_the_smallest_share_of_slots_in_use_is_chosen_not_the_fewest():
    world = world_of(Policy.LEAST_LOADED, ("small", {"slots": 2}), ("large", {"slots": 6}))
    world.submit(*(task(f"t{n}") for n in range(4)))
    used = {name: len(device.attempts) for name, device in world.engine.state.devices.items()}
    assert used == {"small": 1, "large": 3}


def test_no_device_uses_two_slots_more_than_another_while_tasks_end_in_any_order():
    world = world_of(Policy.LEAST_LOADED, *fleet(3, slots=3))
    world.submit(*(task(f"t{n}") for n in range(40)))
    for n in range(31):  # the tasks of one device end, so that it falls behind
        world.finish(f"t{n}")
        used = [len(device.attempts) for device in world.engine.state.devices.values()]
        assert max(used) - min(used) < 2


def test_speed_does_not_count():
    world = world_of(Policy.LEAST_LOADED, ("slow", {"slots": 2}), ("fast", {"speed": 9.0}))
    world.submit(task("t", estimate_s=9.0))
    assert world.where("t") == "slow"
