"""The phone has the services that are down, and the board does if there are any."""

from benchmarks.crossdevice.world import World


def check_phone(world: World) -> str | None:
    """The phone has every service that is down, or that all is well."""
    text = world.now.text("phone-1", "down.md")
    rows = world.now.report("phone-1", "down.md")["Down"]
    told = {row["url"]: row["title"] for row in rows}
    if told != world.known["down"]:
        return f"told {sorted(told)}, but it is {sorted(world.known['down'])}"
    return None if ("All is well." in text) == (not told) else "it does not say how all is"


def check_board(world: World) -> str | None:
    """The board has the same list; nothing was put there if all is well."""
    put = [each.body for each in world.requests if (each.method, each.path) == ("PUT", "board")]
    if not world.known["down"]:
        return "something was put on the board" if put else None
    told = {row["url"]: row["title"] for row in put[-1]}
    return None if told == world.known["down"] else f"the board has {put[-1]}"
