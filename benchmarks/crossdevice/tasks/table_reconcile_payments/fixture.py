"""A ledger and a statement that mostly agree; amounts are cents."""

import json

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the ledger on both servers, and serve the statement."""
    ledger, bank = [], []
    for number in range(220):
        reference, amount = f"R{number:05}", fixture.chance.randrange(100, 90_000)
        kind = fixture.chance.random()
        if kind > 0.05:
            ledger.append((reference, amount))
        if kind < 0.95:
            paid = amount + (fixture.chance.randrange(1, 9) if kind > 0.88 else 0)
            bank.append({"reference": reference, "amount": paid})
    for server in ("server-1", "server-2"):
        with fixture.database(server, "ledger.db") as database:
            database.execute("create table entries (reference text primary key, amount integer)")
            database.executemany("insert into entries values (?, ?)", ledger)
    fixture.chance.shuffle(bank)
    fixture.page("statement.json", json.dumps(bank), content_type="application/json")
    fixture.tell("bank", {row["reference"]: row["amount"] for row in bank})
