"""Two databases of people, some of whom were not seen for years."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Make both; some people were seen in the very year."""
    for device, name, count in (("server-1", "crm", 240), ("edge-1", "leads", 90)):
        with fixture.database(device, f"{name}.db") as people:
            people.execute("create table people (id integer primary key, name text, seen integer)")
            rows = [(n, f"{name}-{n}", fixture.chance.randrange(2012, 2026)) for n in range(count)]
            people.executemany("insert into people values (?, ?, ?)", rows)
            people.execute("create table notes (id integer primary key, text text)")
            people.execute("insert into notes values (1, 'seen 2011')")
