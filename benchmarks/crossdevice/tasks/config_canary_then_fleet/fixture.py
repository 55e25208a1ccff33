"""Version 7 everywhere, and version 8 on the laptop."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write both versions."""
    port = fixture.chance.randrange(8000, 9000)
    for device in ("server-1", "server-2", "edge-1", "edge-2"):
        old = {"version": 7, "port": port, "tls": False, "upstream": f"{device}.lan"}
        fixture.json(device, "gateway.json", old)
    new = {"version": 8, "port": port + 443, "tls": True, "upstream": f"core-{port}.lan"}
    fixture.json("laptop", "release.json", [new])
