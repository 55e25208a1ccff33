"""The first bad commit is blamed on its author."""

from benchmarks.crossdevice.world import World

MOST = 30


def first(world: World) -> int:
    """Return the number of the first bad commit."""
    for number, row in enumerate(world.given.json("laptop", "commits.json")):
        if world.given.json("laptop", f"history/{row['rev']}.json")["timeout_s"] > MOST:
            return number
    raise LookupError("all are good")


def check_rev(world: World) -> str | None:
    """The report has the first bad commit."""
    (row,) = world.now.report("laptop", "blame.md")["First bad"]
    true = world.given.json("laptop", "commits.json")[first(world)]["rev"]
    return None if row["rev"] == true else f"told {row}, but it is {true}"


def check_author(world: World) -> str | None:
    """It has the author of that commit."""
    (row,) = world.now.report("laptop", "blame.md")["First bad"]
    true = world.given.json("laptop", "commits.json")[first(world)]["author"]
    return None if row["author"] == true else f"told {row}, but it is {true}"


def check_good(world: World) -> str | None:
    """It counts the good ones."""
    (row,) = world.now.report("laptop", "blame.md")["Good"]
    return None if int(row["count"]) == first(world) else f"told {row}, but it is {first(world)}"


def check_untouched(world: World) -> str | None:
    """History, tools and list are as they were."""
    return world.untouched()
