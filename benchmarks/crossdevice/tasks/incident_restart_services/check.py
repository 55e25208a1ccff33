"""Who was restarted, and what the report says, follows from the status of each service."""

from benchmarks.crossdevice.world import World


def names(world: World, heading: str) -> dict[str, int]:
    """Return the services below a heading, and their status."""
    rows = world.now.report("laptop", "incident.md").get(heading, ())
    return {row["url"].split("/")[-2]: int(row["status"]) for row in rows}


def check_restarts(world: World) -> str | None:
    """Those that are down were restarted, with the reason, and nobody else."""
    down = {name for name, status in world.known["status"].items() if status >= 500}
    true = {f"control/{name}/restart": {"reason": "down"} for name in down}
    return None if world.sent() == true else f"sent {world.sent()}"


def check_down(world: World) -> str | None:
    """The report has those that are down, with their status."""
    true = {name: each for name, each in world.known["status"].items() if each >= 500}
    told = names(world, "Restarted")
    return None if told == true else f"told {told}, but it is {true}"


def check_unknown(world: World) -> str | None:
    """The report has the others that do not answer as they should."""
    true = {name: each for name, each in world.known["status"].items() if 400 <= each < 500}
    told = names(world, "Unknown")
    return None if told == true else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched()
