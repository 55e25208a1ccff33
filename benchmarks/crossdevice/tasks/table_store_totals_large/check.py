"""What the stores sold adds up."""

from collections import Counter

from benchmarks.crossdevice.world import World


def totals(world: World) -> Counter[tuple[str, str]]:
    """Add up by region and category."""
    found: Counter[tuple[str, str]] = Counter()
    for row in world.known["sold"]:
        found[row["region"], row["category"]] += row["amount"]
    return found


def told(world: World) -> dict[tuple[str, str], int]:
    """Return what the table says."""
    rows = world.now.table("laptop", "totals.csv")
    return {(row["region"], row["category"]): int(row["amount"]) for row in rows}


def check_groups(world: World) -> str | None:
    """The table has every region and category that sold, once."""
    rows = world.now.table("laptop", "totals.csv")
    right = told(world).keys() == totals(world).keys() and len(rows) == len(totals(world))
    return None if right else f"told {sorted(told(world))}"


def check_amounts(world: World) -> str | None:
    """Each has the amount that was sold."""
    wrong = {key: each for key, each in told(world).items() if totals(world)[key] != each}
    return f"wrong: {wrong}" if wrong else None


def check_stores(world: World) -> str | None:
    """The report counts the stores that sold anything."""
    (row,) = world.now.report("laptop", "today.md")["Grand total"]
    true = len({each["store"] for each in world.known["sold"]})
    return None if int(row["stores"]) == true else f"told {row}, but it is {true}"


def check_grand_total(world: World) -> str | None:
    """The report has what all stores sold."""
    (row,) = world.now.report("laptop", "today.md")["Grand total"]
    true = totals(world).total()
    return None if int(row["amount"]) == true else f"told {row}, but it is {true}"
