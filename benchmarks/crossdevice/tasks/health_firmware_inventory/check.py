"""Every device is in the inventory, and the table has those that are behind."""

from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.world import World

States = set[tuple[str, str, str]]


def states(world: World) -> States:
    """Return device, model and firmware of every device."""
    files = [world.given.json(name, "state/device.json") for name in FLEET]
    return {(each["device"], each["model"], each["firmware"]) for each in files}


def told(world: World, heading: str) -> States:
    """Return what a part of the inventory says."""
    rows = world.now.report("laptop", "inventory.md").get(heading, ())
    return {(row["device"], row["model"], row["firmware"]) for row in rows}


def check_inventory(world: World) -> str | None:
    """Every device is in the inventory as it is."""
    listed = told(world, "Live") | told(world, "Registry")
    return None if listed == states(world) else f"listed {sorted(listed)}"


def check_live(world: World) -> str | None:
    """All were asked themselves, but for one that may be gone."""
    silent = {name for name, _, _ in states(world) - told(world, "Live")}
    return f"{sorted(silent)} were not asked" if len(silent) > 1 else None


def check_outdated(world: World) -> str | None:
    """The table has the devices that are behind, and no others."""
    true = {name for name, model, have in states(world) if world.known["current"][model] != have}
    listed = {row["device"] for row in world.now.table("laptop", "outdated.csv")}
    return None if listed == true else f"listed {sorted(listed)}, but it is {sorted(true)}"


def check_untouched(world: World) -> str | None:
    """What the devices say of themselves is as it was."""
    return world.untouched()
