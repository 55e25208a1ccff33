"""Twelve hosts whose disks fill up, each at its own pace; both servers know it."""

from benchmarks.crossdevice.fixture import Fixture

HOSTS = 12
COLUMNS = "host text, day integer, used_gb integer, size_gb integer"


def make(fixture: Fixture) -> None:
    """Write the same database on both servers."""
    rows = []
    for number in range(HOSTS):
        used = [fixture.chance.randrange(100, 300)]
        for _ in range(29):
            used.append(used[-1] + fixture.chance.randrange(1, 3 + 2 * number))
        size = used[-1] + fixture.chance.randrange(5, 250)
        rows += [(f"host-{number:02}", day, gb, size) for day, gb in enumerate(used)]
    for server in ("server-1", "server-2"):
        with fixture.database(server, "metrics.db") as metrics:
            metrics.execute(f"create table samples ({COLUMNS})")
            metrics.executemany("insert into samples values (?, ?, ?, ?)", rows)
