"""The database is whole on one server, and the report adds up."""

from collections import Counter

from benchmarks.crossdevice.world import World


def check_restored(world: World) -> str | None:
    """One of the servers has every order."""
    for server in ("server-1", "server-2"):
        if world.now.exists(server, "shop.db"):
            rows = world.now.query(server, "shop.db", "select * from orders order by id")
            if rows == world.known["orders"]:
                return None
    return "no server has them all"


def check_revenue(world: World) -> str | None:
    """The report says the revenue of each region."""
    true: Counter[str] = Counter()
    for _, region, amount in world.known["orders"]:
        true[region] += amount
    rows = world.now.report("laptop", "revenue.md")["Regions"]
    told = {row["region"]: int(row["revenue"]) for row in rows}
    return None if told == true else f"told {told}, but it is {dict(true)}"
