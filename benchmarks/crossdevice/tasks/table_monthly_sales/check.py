"""The year, its months and the bonuses add up."""

from collections import Counter

from benchmarks.crossdevice.world import World


def orders(world: World) -> list[dict[str, str]]:
    """Return all orders of the year, in order of the months."""
    paths = world.given.files("server-1", "sales")
    return [row for path in paths for row in world.given.table("server-1", path)]


def revenue(world: World) -> Counter[str]:
    """Return the revenue of every region."""
    found: Counter[str] = Counter()
    for row in orders(world):
        found[row["region"]] += int(row["amount"])
    return found


def regions(world: World, name: str) -> dict[str, int]:
    """Return a table of regions on the laptop."""
    return {row["region"]: int(row["revenue"]) for row in world.now.table("laptop", name)}


def check_year(world: World) -> str | None:
    """The table has the revenue of every region."""
    told, true = regions(world, "year.csv"), revenue(world)
    return None if told == true else f"told {told}, but it is {dict(true)}"


def check_bonus(world: World) -> str | None:
    """The regions with enough revenue are in the other table, and no others."""
    limit = world.parameters["bonus"]
    told = regions(world, "bonus.csv")
    true = {region: amount for region, amount in revenue(world).items() if amount >= limit}
    return None if told == true else f"told {told}, but it is {true}"


def check_months(world: World) -> str | None:
    """The report has every month, in order."""
    true: dict[str, list[int]] = {}
    for row in orders(world):
        count, amount = true.get(row["file"], [0, 0])
        true[row["file"]] = [count + 1, amount + int(row["amount"])]
    rows = world.now.report("laptop", "months.md")["Months"]
    told = [[row["file"], int(row["orders"]), int(row["revenue"])] for row in rows]
    return None if told == [[key, *each] for key, each in true.items()] else f"told {told}"


def check_untouched(world: World) -> str | None:
    """The monthly tables are as they were."""
    return world.untouched()
