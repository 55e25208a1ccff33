"""What anybody might write is closed and listed, and nothing else has changed."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("server-1", "server-2")
def check_closed(world: World, server: str) -> str | None:
    """All that was open has the permissions 640, and its content."""
    for path in opened(world, server):
        if (mode := world.now.mode(server, path)) != "640":
            return f"{path} has {mode}"
        if world.now.sha256(server, path) != world.given.sha256(server, path):
            return f"{path} has another content"
    return None


def check_report(world: World) -> str | None:
    """The report lists what was open, with the permissions that it had."""
    rows = world.now.report("laptop", "audit.md")["Closed"]
    told = sorted((row["item"], row["path"], row["mode"]) for row in rows)
    true = sorted(
        (server, path.removeprefix("etc/"), world.given.mode(server, path))
        for server in ("server-1", "server-2")
        for path in opened(world, server)
    )
    return None if told == true else f"told {told}, but it is {true}"


def check_untouched(world: World) -> str | None:
    """Nothing else has changed."""
    wanted = [f"{s}/{path}" for s in ("server-1", "server-2") for path in opened(world, s)]
    return world.untouched(*wanted)


def opened(world: World, server: str) -> list[str]:
    """Return what anybody may write and must not."""
    return [
        path
        for path in world.given.files(server, "etc")
        if int(world.given.mode(server, path)[-1]) & 2 and not path.startswith("etc/shared/")
    ]
