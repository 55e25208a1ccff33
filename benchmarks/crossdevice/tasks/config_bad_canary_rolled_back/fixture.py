"""Version 5 everywhere, and a release with two values of the wrong kind."""

import json

from benchmarks.crossdevice.fixture import Fixture

WRONG = {"port": "eighty", "workers": "many", "name": 12, "debug": "no"}


def make(fixture: Fixture) -> None:
    """Write the old version, and serve the new one."""
    for device in ("edge-1", "edge-2", "server-1", "server-2"):
        port = fixture.chance.randrange(7000, 7100)
        old = {"version": 5, "port": port, "workers": 4, "name": device, "debug": False}
        fixture.json(device, "collector.json", old)
    bad = fixture.chance.sample(sorted(WRONG), 2)
    good = {"version": 6, "port": 7200, "workers": 8, "name": "collector", "debug": False}
    release = {**good, **{key: WRONG[key] for key in bad}}
    text = json.dumps(release)
    fixture.page("releases/collector-6.json", text, content_type="application/json")
    fixture.tell("bad", bad)
