"""Those that say so have the new version, the others the old one."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

DEVICES = ("server-1", "server-2", "edge-1", "edge-2")
ENOUGH = 3  # one may not answer


def told(world: World) -> set[str]:
    """Return the devices in the report."""
    rows = world.now.report("laptop", "rolled.md")["Rolled out"]
    return {cell for row in rows for cell in row.values() if cell in DEVICES}


@each(*DEVICES)
def check_version(world: World, device: str) -> str | None:
    """A device has one of both versions, whole."""
    (new,) = world.given.json("laptop", "release.json")
    now = world.now.json(device, "gateway.json")
    return None if now in (new, world.given.json(device, "gateway.json")) else f"it is {now}"


def check_confirmed(world: World) -> str | None:
    """Three devices are listed at least, and those listed have the new version."""
    (new,) = world.given.json("laptop", "release.json")
    listed = told(world)
    wrong = [name for name in listed if world.now.json(name, "gateway.json") != new]
    if len(listed) < ENOUGH or wrong:
        return f"listed {sorted(listed)}, wrong {wrong}"
    return None


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched("*/gateway.json")
