"""Sixty stores with a sheet each; some were closed and sold nothing."""

import json

from benchmarks.crossdevice.fixture import Fixture

STORES = 60


def make(fixture: Fixture) -> None:
    """Serve the sheets and their list, and tell the checkers what was sold."""
    sold = []
    for number in range(STORES):
        region = fixture.chance.choice(("north", "south", "coast"))
        closed = fixture.chance.random() < 0.1
        sheet = [
            {
                "store": number,
                "region": region,
                "category": fixture.chance.choice(("food", "tools", "toys", "books")),
                "amount": fixture.chance.randrange(5, 400),
            }
            for _ in range(0 if closed else fixture.chance.randrange(5, 25))
        ]
        sold += sheet
        fixture.page(f"sheets/{number}.json", json.dumps(sheet), content_type="application/json")
    urls = [f"{fixture.url}/sheets/{number}.json" for number in range(STORES)]
    fixture.page("stores.json", json.dumps(urls), content_type="application/json")
    fixture.tell("sold", sold)
