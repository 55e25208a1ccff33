"""An inventory on each edge, with words that need quoting, and standbys on both servers."""

from benchmarks.crossdevice.fixture import Fixture

NAMES = ("bolt 'M8'", "nut; zinc", 'pipe 3/4"', "seal\nrubber", "Ölfilter")


def make(fixture: Fixture) -> None:
    """Write the same rows on an edge and into its standbys."""
    for edge in ("edge-1", "edge-2"):
        parts = [
            (number, fixture.chance.choice(NAMES), fixture.chance.choice((None, 1.5, 2.25)))
            for number in range(fixture.chance.randrange(60, 120))
        ]
        moves = [
            (number, fixture.chance.choice(parts)[0], fixture.chance.randrange(-9, 10))
            for number in range(fixture.chance.randrange(100, 200))
        ]
        servers = [(server, f"standby/{edge}.db") for server in ("server-1", "server-2")]
        for device, path in ((edge, "inventory.db"), *servers):
            with fixture.database(device, path) as stock:
                stock.execute("create table parts (id integer primary key, name text, kg real)")
                stock.execute(
                    "create table moves (id integer primary key, part integer, n integer)"
                )
                stock.executemany("insert into parts values (?, ?, ?)", parts)
                stock.executemany("insert into moves values (?, ?, ?)", moves)
