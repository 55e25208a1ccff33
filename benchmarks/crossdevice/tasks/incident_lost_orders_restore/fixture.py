"""A shop that has lost some of its orders, the dump of last night, and the journal of the day."""

import json
import sqlite3
from contextlib import closing

from benchmarks.crossdevice.fixture import Fixture

TABLE = "create table orders (id integer primary key, item text, amount integer)"
ITEMS = ("desk", "lamp", "shelf", "chair")


def make(fixture: Fixture) -> None:
    """Make the database, the dump, and the journal: some orders of it changed old ones."""
    night = {n: order(fixture, n) for n in range(280)}
    day = {n: order(fixture, n) for n in [*fixture.chance.sample(range(280), 9), *range(280, 305)]}
    whole = sorted((night | day).values())
    lost = fixture.chance.choice((200, 5, 120, 6, 30))
    left = fixture.chance.sample(whole, len(whole) - lost)
    with fixture.database("server-1", "shop.db") as shop:
        shop.execute(TABLE)
        shop.executemany("insert into orders values (?, ?, ?)", left)
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.execute(TABLE)
        copy.executemany("insert into orders values (?, ?, ?)", night.values())
        dump = "\n".join(copy.iterdump())
    fixture.write("server-2", "nightly.sql", dump)
    fixture.page("nightly.sql", dump, content_type="text/plain")
    lines = (json.dumps(dict(zip(("id", "item", "amount"), day[n], strict=True))) for n in day)
    fixture.write("server-1", "journal.jsonl", "\n".join(lines))
    fixture.tell("orders", whole if len(left) < 300 else sorted(left))


def order(fixture: Fixture, number: int) -> tuple[int, str, int]:
    """Draw one order."""
    return number, fixture.chance.choice(ITEMS), fixture.chance.randrange(5, 900)
