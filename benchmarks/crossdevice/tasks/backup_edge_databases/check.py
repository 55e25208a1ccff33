"""Each dump holds all of its database, and so does what was restored of it."""

import sqlite3
from contextlib import closing

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

TABLES = ("moves", "parts")
ORDERS = ("select * from moves order by id", "select * from parts order by id")


def true(world: World, edge: str) -> list[list[tuple[object, ...]]]:
    """Return the rows of both tables on an edge."""
    return [world.given.query(edge, "inventory.db", order) for order in ORDERS]


@each("edge-1", "edge-2")
def check_dump(world: World, edge: str) -> str | None:
    """The dump on the laptop makes the same database."""
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(world.now.text("laptop", f"dumps/{edge}.sql"))
        rows = [made.execute(order).fetchall() for order in ORDERS]
    return None if rows == true(world, edge) else "it makes another one"


@each("edge-1", "edge-2")
def check_proof(world: World, edge: str) -> str | None:
    """What was restored has every row."""
    rows = [world.now.query("laptop", f"proof/{edge}.db", order) for order in ORDERS]
    return None if rows == true(world, edge) else "it has other rows"


@each("edge-1", "edge-2")
def check_report(world: World, edge: str) -> str | None:
    """The report has the row counts."""
    (row,) = world.now.report("laptop", "dumps.md")[edge]
    counts = [len(rows) for rows in true(world, edge)]
    return None if [int(row[table]) for table in TABLES] == counts else f"told {row}, not {counts}"


def check_untouched(world: World) -> str | None:
    """The databases and their standbys are as they were."""
    return world.untouched()
