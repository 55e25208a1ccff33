"""What was put to the site follows from how many errors there are; the person says yes."""

from benchmarks.crossdevice.world import World


def check_restart(world: World) -> str | None:
    """It was restarted, with the count, if there are too many errors, and only then."""
    return told(world, "control/ingest/restart", due=too_many(world))


def check_note(world: World) -> str | None:
    """The count was noted if there are not too many, and only then."""
    return told(world, "notes/ingest", due=not too_many(world))


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()


def too_many(world: World) -> bool:
    """Tell whether there are too many errors."""
    return bool(world.known["errors"] > world.parameters["limit"])


def told(world: World, path: str, *, due: bool) -> str | None:
    """Hold what was put somewhere to what is due."""
    true = {"errors": world.known["errors"]} if due else None
    body = world.sent().get(path)
    return None if body == true else f"put {body}, but due is {true}"
