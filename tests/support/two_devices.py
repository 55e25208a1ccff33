"""A task, and two devices that can do it."""

from protocol.types import Effect
from tests.support.world import World, task


def two(effect=Effect.IDEMPOTENT, **rest):
    """A task that runs on `d1`; `d2` is there too."""
    world = World()
    world.device("d1", effect=effect, **rest)
    world.device("d2", effect=effect, **rest)
    world.submit(task("t"))
    assert world.where("t") == "d1"
    return world
