"""Forty test files, of which some fail once, and some always."""

from benchmarks.crossdevice.fixture import Fixture

TESTS = 40
RUN = """\
import sys
name, number = sys.argv[1:]
sys.stdout.write(name)
kind = open(name + ".txt").read().strip()
sys.exit(1 if kind == "broken" or (kind == "flaky" and number == "1") else 0)
"""


def make(fixture: Fixture) -> None:
    """Write the tests on all that can run them, and their list on the laptop."""
    broken, flaky = fixture.chance.choice((2, 3)), fixture.chance.randrange(2, 6)
    kinds = ["broken"] * broken + ["flaky"] * flaky + ["good"] * (TESTS - broken - flaky)
    fixture.chance.shuffle(kinds)
    for device in ("laptop", "server-1", "server-2"):
        fixture.write(device, "tools/run.py", RUN)
        for number, kind in enumerate(kinds):
            fixture.write(device, f"tests/test_{number:02}.txt", kind)
    fixture.table(
        "laptop", "suite.csv", [{"test": f"test_{number:02}"} for number in range(TESTS)]
    )
