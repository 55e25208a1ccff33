"""What is down is listed, and what was only slow to start is not."""

from benchmarks.crossdevice.world import World


def check_down(world: World) -> str | None:
    """The table has the endpoints that are down, and no others."""
    listed = sorted(row["name"] for row in world.now.table("laptop", "down.csv"))
    true = sorted(world.known["down"])
    return None if listed == true else f"listed {listed}, but it is {true}"


def check_rows(world: World) -> str | None:
    """Each has its address and the status it should have."""
    targets = world.given.table("laptop", "targets.csv")
    strange = [row for row in world.now.table("laptop", "down.csv") if row not in targets]
    return f"{strange}" if strange else None


def check_count(world: World) -> str | None:
    """The report says how many are down."""
    (row,) = world.now.report("laptop", "down.md")["Down"]
    return None if int(row["count"]) == len(world.known["down"]) else f"it says {row}"


def check_all_probed(world: World) -> str | None:
    """Every endpoint was asked, and those that seemed down twice."""
    asked = [each.path for each in world.requests]
    paths = {
        r["name"]: r["url"].split("/", 4)[4] for r in world.given.table("laptop", "targets.csv")
    }
    seldom = [
        name
        for name, path in paths.items()
        if asked.count(path) < (2 if name in world.known["down"] else 1)
    ]
    return f"{seldom} were not" if seldom else None


def check_untouched(world: World) -> str | None:
    """The list of targets is as it was."""
    return world.untouched()
