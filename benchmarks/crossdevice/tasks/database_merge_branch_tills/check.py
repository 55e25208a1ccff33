"""The database has the sales of the day of both branches, and the report adds them up."""

from collections import Counter
from typing import Any

from benchmarks.crossdevice.world import World

TILLS = {"north": "edge-1", "south": "edge-2"}


def check_sales(world: World) -> str | None:
    """Every sale of the day is there, with its branch, and no other."""
    sql = "select branch, id, article, pieces from sales order by branch, id"
    told = world.now.query("laptop", "sales.db", sql)
    return None if told == sales(world) else f"{len(told)} sales, not {len(sales(world))}"


def check_articles(world: World) -> str | None:
    """The report has the pieces of each article, most first."""
    true: Counter[str] = Counter()
    for _, _, article, pieces in sales(world):
        true[article] += pieces
    rows = world.now.report("laptop", "sales.md")["Articles"]
    told = {row["article"]: int(row["pieces"]) for row in rows}
    falling = [*told.values()] == sorted(told.values(), reverse=True)
    return None if told == true and falling else f"told {told}, but it is {dict(true)}"


def check_branches(world: World) -> str | None:
    """The report has what each branch sold."""
    rows = world.now.report("laptop", "sales.md")["Branches"]
    told = {row["branch"]: (int(row["sales"]), int(row["pieces"])) for row in rows}
    true = {}
    for branch in TILLS:
        sold = [row[3] for row in sales(world) if row[0] == branch]
        true[branch] = len(sold), sum(sold)
    return None if told == true else f"told {told}, but it is {true}"


def check_untouched(world: World) -> str | None:
    """The tills are as they were."""
    return world.untouched()


def sales(world: World) -> list[tuple[Any, ...]]:
    """Return the sales of the day."""
    sql = "select id, article, pieces, day from sales order by id"
    return [
        (branch, number, article, pieces)
        for branch, edge in TILLS.items()
        for number, article, pieces, day in world.given.query(edge, "till.db", sql)
        if day == world.parameters["day"]
    ]
