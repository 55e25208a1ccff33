"""Devices and tasks under the default policy, and the plan that is kept for them."""

from orchestrator.core.scheduling.policies import Policy
from protocol.types import Succeeded
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


def done_early(world):
    """Have `d0` start what it was offered, and `d1` be done twice long before it was planned."""
    world.start("t0")
    for _ in range(2):
        taken = next(a for a in world.engine.state.attempts.values() if a.device == "d1")
        world.start(taken.task)
        world.wait(1.0)
        world.end(taken.id, Succeeded(None), run_s=1.0)
