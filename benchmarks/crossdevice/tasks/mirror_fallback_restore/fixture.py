"""Two mirrors of a dump; the first one is down."""

import sqlite3
from contextlib import closing

from benchmarks.crossdevice.fixture import Fixture

REGIONS = ("north", "south", "east", "west")


def make(fixture: Fixture) -> None:
    """Serve the dump at the second mirror, and keep the orders where only the checkers look."""
    with closing(sqlite3.connect(":memory:")) as shop:
        shop.execute("create table orders (id integer primary key, region text, amount integer)")
        rows = [
            (number, fixture.chance.choice(REGIONS), fixture.chance.randrange(1, 500))
            for number in range(300)
        ]
        shop.executemany("insert into orders values (?, ?, ?)", rows)
        dump = "\n".join(shop.iterdump())
    fixture.page("mirror-a/shop.sql", "down for maintenance", status=404)
    fixture.page("mirror-b/shop.sql", dump, content_type="text/plain")
    fixture.tell("orders", rows)
