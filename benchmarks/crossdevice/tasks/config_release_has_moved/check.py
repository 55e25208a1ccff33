"""Everybody has the latest release in force."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("phone-1", "gpu-1", "server-1", "server-2")
def check_latest(world: World, device: str) -> str | None:
    """A device has version 12 in force, whole."""
    now = world.now.json(device, "agent.json")
    return None if now == world.known["version-12"] else f"it is {now}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched("*/agent.json")
