"""Two edges log their requests, and the archive has a copy of both logs."""

import json

from benchmarks.crossdevice.fixture import Fixture

ENDPOINTS = ("/cart", "/login", "/search", "/pay", "/img")


def make(fixture: Fixture) -> None:
    """Write both logs; some requests take exactly the limit."""
    for edge in ("edge-1", "edge-2"):
        rows = [
            {
                "id": number,
                "endpoint": fixture.chance.choice(ENDPOINTS),
                "ms": fixture.chance.choice((1500, fixture.chance.randrange(20, 4000))),
            }
            for number in range(300)
        ]
        fixture.write(edge, "logs/access.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
        fixture.page(f"archive/{edge}.json", json.dumps(rows), content_type="application/json")
