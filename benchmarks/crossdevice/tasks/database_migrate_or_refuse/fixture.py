"""A stock of 150 items; of every other seed some prices are no numbers."""

from benchmarks.crossdevice.fixture import Fixture

WRONG = ("on request", "7,30", "", "12.5", "n/a", "x.1.50")


def make(fixture: Fixture) -> None:
    """Fill it."""
    chance = fixture.chance
    items = [
        (
            n,
            f"item {chance.randrange(10_000)}",
            f"{chance.randrange(900)}.{chance.randrange(100):02}",
        )
        for n in range(1, 151)
    ]
    if chance.random() < 0.5:
        for at in chance.sample(range(150), 5):
            items[at] = (*items[at][:2], chance.choice(WRONG))
    with fixture.database("edge-1", "stock.db") as db:
        db.execute("create table items (id integer primary key, name text, price text not null)")
        db.execute("create table meta (version integer)")
        db.execute("insert into meta values (1)")
        db.executemany("insert into items values (?, ?, ?)", items)
