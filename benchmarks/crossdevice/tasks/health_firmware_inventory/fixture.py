"""Every device says what it is; the registry knows it too."""

import json

from benchmarks.crossdevice.fixture import Fixture
from benchmarks.crossdevice.fleet import FLEET


def make(fixture: Fixture) -> None:
    """Write a file on each device, and serve the registry and the current versions."""
    current = {device.profile: f"v{fixture.chance.randrange(3, 9)}" for device in FLEET.values()}
    for name, device in FLEET.items():
        behind = fixture.chance.random() < 0.4
        state = {
            "device": name,
            "model": device.profile,
            "firmware": "v2" if behind else current[device.profile],
            "serial": fixture.chance.randbytes(4).hex(),
        }
        fixture.json(name, "state/device.json", state)
        fixture.page(f"registry/{name}.json", json.dumps([state]), content_type="application/json")
    rows = [{"model": model, "firmware": version} for model, version in current.items()]
    fixture.page("current.json", json.dumps(rows), content_type="application/json")
    fixture.tell("current", current)
