"""All have version 3, or all version 2, as the rates of the edges say."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("edge-1", "edge-2", "server-1", "server-2")
def check_version(world: World, device: str) -> str | None:
    """A device has the version in force that the rates allow."""
    good = all(rate <= world.parameters["limit"] for rate in world.known["rates"])
    true = world.known["new"] if good else world.given.json(device, "cache.json")
    now = world.now.json(device, "cache.json")
    return None if now == true else f"it is {now}"


def check_told(world: World) -> str | None:
    """The site was told the highest rate."""
    told = world.sent().get("rollouts/cache")
    return None if told == {"worst": max(world.known["rates"])} else f"told {told}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched("*/cache.json")
