"""The database is migrated if all prices are numbers, and is as it was if not."""

import re
import sqlite3
from contextlib import closing

from benchmarks.crossdevice.world import World

ITEMS = "select id, name, price from items order by id"


def check_dump(world: World) -> str | None:
    """The dump on the laptop has the database as it was."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(world.now.text("laptop", "before.sql"))
        tables = db.execute("select name from sqlite_master where type = 'table'").fetchall()
        same = db.execute(ITEMS).fetchall() == items(world)
        version = db.execute("select version from meta").fetchall()
    fine = same and sorted(tables) == [("items",), ("meta",)] and version == [(1,)]
    return None if fine else "it is something else"


def check_database(world: World) -> str | None:
    """The new table is there with the version, or nothing has changed."""
    if bad(world):
        return world.untouched()
    sql = "select id, name, cents from items_v2 order by id"
    told = world.now.query("edge-1", "stock.db", sql)
    if told != [(n, name, cents(price)) for n, name, price in items(world)]:
        return "the new table has other rows"
    version = world.now.query("edge-1", "stock.db", "select version from meta")
    return None if version == [(2,)] else f"the version is {version}"


def check_old_table(world: World) -> str | None:
    """The old table is as it was."""
    told = world.now.query("edge-1", "stock.db", ITEMS)
    return None if told == items(world) else "its rows have changed"


def check_report(world: World) -> str | None:
    """The report has the bad prices, or the sum."""
    tables = world.now.report("laptop", "migration.md")
    if wrong := bad(world):
        told = [(int(row["id"]), row["name"], row["price"]) for row in tables["Bad prices"]]
        return None if told == wrong and "Done" not in tables else f"told {told}, not {wrong}"
    total, cell = sum(cents(price) for _, _, price in items(world)), tables["Done"][0]["cents"]
    fine = cell == str(total) and "Bad prices" not in tables
    return None if fine else f"told {cell}, not {total}"


def check_untouched(world: World) -> str | None:
    """Nothing else has changed."""
    return world.untouched("edge-1/stock.db")


def items(world: World) -> list[tuple[int, str, str]]:
    """Return the items as they were."""
    return world.given.query("edge-1", "stock.db", ITEMS)


def bad(world: World) -> list[tuple[int, str, str]]:
    """Return those without a price in figures."""
    return [row for row in items(world) if not re.fullmatch(r"\d+\.\d\d", row[2])]


def cents(price: str) -> int:
    """Return a price as a whole number."""
    whole, part = price.split(".")
    return int(whole) * 100 + int(part)
