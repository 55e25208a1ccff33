"""A database of members, and a copy of some days ago, which somebody has written into."""

from benchmarks.crossdevice.fixture import Fixture

TABLE = "create table members (id integer primary key, name text, town text, changed integer)"
TOWNS = ("Aachen", "Bergen", "Cork", "Dole", "Évora")


def make(fixture: Fixture) -> None:
    """Make the copy, and what has come of it since; of some seeds nobody has left."""
    chance = fixture.chance
    old = {n: (n, f"member {n}", chance.choice(TOWNS), 1000 + n) for n in range(1, 201)}
    chance.shuffle(numbers := list(old))
    new = {n: old[n] for n in sorted(numbers[chance.choice((0, 4, 9)) :])}
    for n in chance.sample(sorted(new), 25):
        new[n] = (n, new[n][1], f"{chance.choice(TOWNS)} II", 2000 + n)
    new |= {n: (n, f"member {n}", chance.choice(TOWNS), 2000 + n) for n in range(201, 216)}
    ours = {**old, 200: (200, "a remark of our own", "here", 1200)}
    if 200 in new and new[200] == old[200]:
        new[200] = (200, "the name on the server", "there", 1100)  # older than the copy
    for device, rows in (("laptop", ours), ("server-1", new), ("server-2", new)):
        with fixture.database(device, "members.db") as db:
            db.execute(TABLE)
            db.executemany("insert into members values (?, ?, ?, ?)", rows.values())
