"""Devices and tasks under the default policy, and the plan that is kept for them."""

from orchestrator.core.scheduling.policies import Policy
from tests.support.world import World, task


def a_world(*speeds, **rest):
    world = World(policy=Policy.ONE_PLAN, **rest)
    for number, speed in enumerate(speeds):
        world.device(f"d{number}", speed=speed)
    return world


def plan(world):
    return world.engine.state.board.plan


def timed(name, estimate_s, **rest):
    return task(name, estimate_s=estimate_s, **rest)
