"""Two tills with the sales of some days, and copies of them on the site."""

import json

from benchmarks.crossdevice.fixture import Fixture

DAYS = ("2025-03-12", "2025-03-13", "2025-03-14", "2025-03-14")
ARTICLES = ("apple", "bread", "cheese", "dates", "eggs", "flour", "garlic")
COLUMNS = ("id", "day", "article", "pieces")


def make(fixture: Fixture) -> None:
    """Fill the tills; both branches count their sales from 1."""
    chance = fixture.chance
    for edge, branch in (("edge-1", "north"), ("edge-2", "south")):
        rows = [
            (n, chance.choice(DAYS), chance.choice(ARTICLES), chance.randint(1, 9))
            for n in range(1, chance.randint(150, 250))
        ]
        with fixture.database(edge, "till.db") as db:
            db.execute("create table sales (id integer primary key, day, article, pieces)")
            db.executemany("insert into sales values (?, ?, ?, ?)", rows)
        copy = [{"branch": branch, **dict(zip(COLUMNS, row, strict=True))} for row in rows]
        fixture.page(f"copies/{branch}.json", json.dumps(copy), content_type="application/json")
