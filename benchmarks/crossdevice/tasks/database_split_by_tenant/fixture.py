"""A database of five tenants, the same on both servers."""

from benchmarks.crossdevice.fixture import Fixture

TENANTS = ("acme", "birch", "cedar", "dune", "elm")


def make(fixture: Fixture) -> None:
    """Fill it."""
    chance = fixture.chance
    users = [(n, f"user {n}", chance.choice(TENANTS)) for n in range(1, 61)]
    invoices = [
        (n, chance.randint(1, 60), chance.randrange(10, 9000), chance.choice((None, *YEARS)))
        for n in range(1, 241)
    ]
    for server in ("server-1", "server-2"):
        with fixture.database(server, "hosting.db") as db:
            db.execute("create table users (id integer primary key, name text, tenant text)")
            db.execute(
                "create table invoices (id integer primary key, user integer, amount integer,"
                " paid integer)"
            )
            db.executemany("insert into users values (?, ?, ?)", users)
            db.executemany("insert into invoices values (?, ?, ?, ?)", invoices)


YEARS = (2021, 2022, 2023, 2024, 2025)
