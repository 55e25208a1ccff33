"""The report has every leak but the examples, and none of the keys."""

from collections import Counter

from benchmarks.crossdevice.world import World


def check_leaks(world: World) -> str | None:
    """Every leak is there, by file and line, and no other."""
    rows = world.now.report("laptop", "leaks.md")["Leaks"]
    told = sorted((row["file"][row["file"].index("repos/") :], int(row["line"])) for row in rows)
    return None if told == leaks(world) else f"told {told}, but it is {leaks(world)}"


def check_repositories(world: World) -> str | None:
    """The report says how many each repository has."""
    rows = world.now.report("laptop", "leaks.md")["Repositories"]
    told = {row["key"]: int(row["count"]) for row in rows}
    true = Counter(path.split("/")[1] for path, _ in leaks(world))
    return None if told == true else f"told {told}, but it is {dict(true)}"


def check_secret(world: World) -> str | None:
    """None of the keys is in the report."""
    text = world.now.text("laptop", "leaks.md")
    shown = [path for path, _, key in world.known["keys"] if key in text]
    return f"the keys of {shown[:3]} are in it" if shown else None


def check_untouched(world: World) -> str | None:
    """The repositories are as they were."""
    return world.untouched()


def leaks(world: World) -> list[tuple[str, int]]:
    """Return where the leaks are."""
    places = {(path, line) for path, line, _ in world.known["keys"]}
    return sorted(places - set(world.known["examples"]))
