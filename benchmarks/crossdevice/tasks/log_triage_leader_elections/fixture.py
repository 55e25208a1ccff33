"""A cluster of two servers, which do not log the same; chance says who leads."""

import json
from datetime import UTC, datetime

from benchmarks.crossdevice.fixture import Fixture

HOUR = 3600.0
MARGIN_S = 600.0  # no line is so close to the border


def make(fixture: Fixture) -> None:
    """Write both logs and their copies, and say who leads."""
    leader = fixture.chance.choice(("server-1", "server-2"))
    told = json.dumps({"leader": leader})
    fixture.page("leader.json", told, content_type="application/json")
    fixture.tell("leader", leader)
    for server, other in (("server-1", "server-2"), ("server-2", "server-1")):
        ages = sorted((fixture.chance.uniform(0, 30 * HOUR) for _ in range(150)), reverse=True)
        text = "\n".join(line(fixture, age) for age in ages if abs(age - 12 * HOUR) > MARGIN_S)
        fixture.write(server, "logs/cluster.log", f"{text}\n")
        fixture.write(other, "copies/cluster.log", f"{text}\n")


def line(fixture: Fixture, age_s: float) -> str:
    """Draw one line."""
    stamp = datetime.fromtimestamp(fixture.now - age_s, UTC).isoformat(timespec="milliseconds")
    term, node = fixture.chance.randrange(100), fixture.chance.choice("abc")
    texts = (f"election won by node-{node} in term {term}", f"election lost in term {term}")
    return f"{stamp} {fixture.chance.choice((*texts, 'heartbeat', 'snapshot written'))}"
