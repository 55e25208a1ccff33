"""Thirty-six tenants on one server, and a sheet of new limits in which some are words."""

from benchmarks.crossdevice.fixture import Fixture

WORDS = ("unlimited", "n/a", "007")  # the last one is text in a table, not a number


def make(fixture: Fixture) -> None:
    """Write the old limits of each tenant and the sheet."""
    names = [f"tenant-{number:02}" for number in range(36)]
    odd = fixture.chance.sample(names[1:], 7)
    rows = []
    for name in names:
        rps = fixture.chance.randrange(10, 500)
        old = {"name": name, "version": 1, "rps": rps, "burst": rps * 2}
        fixture.json("server-1", f"tenants/{name}.json", old)
        row = {
            "name": name,
            "path": f"{fixture.folder}/tenants/{name}.json",
            "version": 2,
            "rps": rps + 50,
            "burst": rps * 3,
        }
        if name in odd:
            row[fixture.chance.choice(("rps", "burst"))] = fixture.chance.choice(WORDS)
        rows.append(row)
    fixture.table("laptop", "limits.csv", rows)
