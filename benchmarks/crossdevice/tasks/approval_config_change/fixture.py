"""Version 1 everywhere, and version 2 on the laptop."""

from benchmarks.crossdevice.fixture import Fixture

DEVICES = ("server-1", "server-2", "edge-1", "edge-2")


def make(fixture: Fixture) -> None:
    """Write the configurations."""
    rate = fixture.chance.randrange(10, 100)
    for device in DEVICES:
        fixture.json(device, "app.json", {"version": 1, "rate": rate})
    fixture.json("laptop", "new.json", [{"version": 2, "rate": rate + 1}])
