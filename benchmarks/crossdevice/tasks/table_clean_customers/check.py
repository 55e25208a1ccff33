"""Every customer is where it belongs."""

import re

from benchmarks.crossdevice.world import World

Row = dict[str, str]


def split(world: World) -> tuple[list[Row], list[Row]]:
    """Return the rows that are clean, and the rejects."""
    rows = world.given.table("server-1", "customers.csv")
    valid = [row for row in rows if re.fullmatch(r"[\w.]+@\w+\.\w+", row["email"])]
    clean = [row for row in valid if row["email"] not in world.known["gone"]]
    return clean, [row for row in rows if row not in valid]


def ids(rows: list[Row]) -> list[int]:
    """Return the ids, sorted: the order of a table is nobody's business."""
    return sorted(int(row["id"]) for row in rows)


def check_clean(world: World) -> str | None:
    """The table has the customers whose email is right and wanted."""
    told = ids(world.now.table("laptop", "clean.csv"))
    return None if told == ids(split(world)[0]) else f"told {told}"


def check_rows(world: World) -> str | None:
    """Each of them has its own email and country."""
    rows = {row["id"]: row for row in split(world)[0]}
    told = world.now.table("laptop", "clean.csv")
    wrong = [row for row in told if not rows[row["id"]].items() <= row.items()]
    return f"{wrong}" if wrong or not told else None


def check_countries(world: World) -> str | None:
    """Each has the name of its country, where that has one."""
    names = world.known["countries"]
    told = world.now.table("laptop", "clean.csv")
    wrong = [row for row in told if row["country_name"] != names.get(row["country"], "")]
    return f"{wrong}" if wrong or not told else None


def check_rejects(world: World) -> str | None:
    """The rows whose email is wrong are in the other table."""
    told = ids(world.now.table("laptop", "rejects.csv"))
    return None if told == ids(split(world)[1]) else f"told {told}"


def check_summary(world: World) -> str | None:
    """The summary counts both."""
    (row,) = world.now.report("laptop", "summary.md")["Rows"]
    true = [len(each) for each in split(world)]
    return None if [int(row["clean"]), int(row["rejects"])] == true else f"told {row}"


def check_untouched(world: World) -> str | None:
    """The export is as it was."""
    return world.untouched()
