"""Version 2 on edges and servers; one edge in some worlds errs too often after the first wave."""

import json

from benchmarks.crossdevice.fixture import Fixture

KIND = "application/json"


def make(fixture: Fixture) -> None:
    """Write version 2, serve version 3 and the rates; 2.5 is not yet too much."""
    for device in ("edge-1", "edge-2", "server-1", "server-2"):
        size = fixture.chance.randrange(64, 512)
        fixture.json(device, "cache.json", {"version": 2, "size_mb": size, "ttl_s": 60})
    new = {"version": 3, "size_mb": 1024, "ttl_s": fixture.chance.randrange(5, 50)}
    fixture.page("cache-3.json", json.dumps(new), content_type=KIND)
    rates = [fixture.chance.choice((2.5, 2.6)), fixture.chance.choice((0.4, 1.9))]
    fixture.chance.shuffle(rates)
    for edge, rate in zip(("edge-1", "edge-2"), rates, strict=True):
        body = json.dumps({"device": edge, "errors_per_min": rate})
        fixture.page(f"health/{edge}.json", body, content_type=KIND)
    fixture.tell("new", new)
    fixture.tell("rates", rates)
