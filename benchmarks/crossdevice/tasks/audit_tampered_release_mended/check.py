"""The edge device has the release again, and keeps what is its own."""

from benchmarks.crossdevice.world import World


def check_release(world: World) -> str | None:
    """Every file of the release is on the edge device as it is on the servers."""
    for path in world.given.files("server-1", "release"):
        if world.now.data("edge-1", path) != world.given.data("server-1", path):
            return f"{path} is not as released"
    return None


def check_report(world: World) -> str | None:
    """The report lists what was put right."""
    rows = world.now.report("laptop", "mended.md")["Mended"]
    told, true = sorted(row["path"] for row in rows), tampered(world)
    return None if told == true else f"told {told}, but it was {true}"


def check_alarm(world: World) -> str | None:
    """There is no alarm."""
    return "there is one" if world.now.exists("laptop", "alarm.md") else None


def check_untouched(world: World) -> str | None:
    """Nothing else has changed."""
    return world.untouched(*(f"edge-1/release/{path}" for path in tampered(world)))


def tampered(world: World) -> list[str]:
    """Return what was changed or gone, by its path in the release."""
    return sorted(
        path.removeprefix("release/")
        for path in world.given.files("server-1", "release")
        if not world.given.exists("edge-1", path)
        or world.given.data("edge-1", path) != world.given.data("server-1", path)
    )
