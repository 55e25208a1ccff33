"""Every device has the version it had, and the ticket names what is wrong."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("edge-1", "edge-2", "server-1", "server-2")
def check_old(world: World, device: str) -> str | None:
    """A device has version 5 in force, with its own values."""
    now = world.now.json(device, "collector.json")
    return None if now == world.given.json(device, "collector.json") else f"it is {now}"


@each("edge-2", "server-1", "server-2")
def check_never(world: World, device: str) -> str | None:
    """A device that was not to try it has no trace of the release."""
    now = world.now.files(device)
    return None if now == world.given.files(device) else f"there is {now}"


def check_ticket(world: World) -> str | None:
    """The ticket has one problem for each bad value, and none for another."""
    body = world.sent().get("tickets/collector-6")
    problems = body["problems"] if isinstance(body, dict) else ()
    keys = ("port", "workers", "name", "debug")
    told = [key for each in problems for key in keys if str(each).startswith(key)]
    return None if sorted(told) == sorted(world.known["bad"]) else f"told {body}"
