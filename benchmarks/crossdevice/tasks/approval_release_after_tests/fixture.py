"""A test suite of eleven parts, of which in some worlds one or two fail."""

from benchmarks.crossdevice.fixture import Fixture

SUITE = """\
import sys

part = sys.argv[1]
broken = {broken!r}
print(part, "broken" if part in broken else "ok")
sys.exit(3 if part in broken else 0)
"""
PARTS = ("auth", "cart", "mail", "pay", "push", "quota", "rank", "rest", "sync", "tags", "task")


def make(fixture: Fixture) -> None:
    """Write the suite on both servers, and the parts on the laptop."""
    broken = sorted(fixture.chance.sample(PARTS, fixture.chance.choice((0, 2))))
    for server in ("server-1", "server-2"):
        fixture.write(server, "suite.py", SUITE.format(broken=broken))
    fixture.json("laptop", "parts.json", [{"part": part} for part in PARTS])
