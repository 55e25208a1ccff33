"""Twenty commits; from one of them on a setting is too large for the test."""

from benchmarks.crossdevice.fixture import Fixture
from protocol.types import Json

COMMITS, MOST = 20, 30
CHECK = """\
import json, sys
sys.stdout.write(sys.argv[1])
sys.exit(1 if json.load(open(sys.argv[1] + ".json"))["timeout_s"] > 30 else 0)
"""


def make(fixture: Fixture) -> None:
    """Write the history on all that can build, and the list on the laptop."""
    bad = fixture.chance.randrange(1, COMMITS)
    rows: list[Json] = []
    for number in range(COMMITS):
        low, high = (MOST + 1, 90) if number >= bad else (1, MOST)
        timeout = fixture.chance.randint(low, high)
        rows.append({"rev": f"r{number:03}", "author": fixture.chance.choice(("ann", "bo", "cy"))})
        for device in ("laptop", "server-1", "server-2"):
            fixture.json(device, f"history/r{number:03}.json", {"timeout_s": timeout})
    for device in ("laptop", "server-1", "server-2"):
        fixture.write(device, "tools/check.py", CHECK)
    fixture.json("laptop", "commits.json", rows)
