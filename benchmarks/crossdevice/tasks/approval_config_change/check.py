"""The edge boxes have the new version, the servers the old one, as the people said."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("edge-1", "edge-2")
def check_changed(world: World, device: str) -> str | None:
    """An edge box has version 2 in force."""
    (new,) = world.given.json("laptop", "new.json")
    now = world.now.json(device, "app.json")
    return None if now == new else f"it is {now}"


@each("server-1", "server-2")
def check_unchanged(world: World, device: str) -> str | None:
    """A server is as it was, and has no trace of version 2."""
    if world.now.files(device) != world.given.files(device):
        return f"there is {world.now.files(device)}"
    now = world.now.json(device, "app.json")
    return None if now == world.given.json(device, "app.json") else f"it is {now}"
