"""Twelve months of orders; some months are busier than others."""

from benchmarks.crossdevice.fixture import Fixture

REGIONS = ("north", "south", "east", "west", "isles")


def make(fixture: Fixture) -> None:
    """Write the same tables on both servers."""
    for month in range(1, 13):
        name = f"2026-{month:02}"
        rows = [
            {
                "file": name,
                "order": number,
                "region": fixture.chance.choice(REGIONS),
                "amount": fixture.chance.randrange(10, 1000),
            }
            for number in range(fixture.chance.randrange(150, 300))
        ]
        for server in ("server-1", "server-2"):
            fixture.table(server, f"sales/{name}.csv", rows)
