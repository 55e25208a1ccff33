"""A program with two bugs, which show in some of the forty cells."""

from benchmarks.crossdevice.fixture import Fixture

PROGRAM = """\
import sys

version, size = sys.argv[1], int(sys.argv[2])
table = [n * n % {prime} for n in range(size)]
if version == "{bad}":
    sys.exit("version {bad}: wrong order")
if len(set(table)) < size and size > {limit}:
    sys.exit(f"size {{size}}: a value came twice")
print("ok", sum(table))
"""
VERSIONS = tuple(f"3.{n}" for n in range(8, 16))
SIZES = (4, 9, 30, 200, 900)


def make(fixture: Fixture) -> None:
    """Write the program on both servers, and the matrix on the laptop."""
    program = PROGRAM.format(
        prime=fixture.chance.choice((101, 211, 307)),
        bad=fixture.chance.choice(VERSIONS),
        limit=fixture.chance.choice((50, 500)),
    )
    for server in ("server-1", "server-2"):
        fixture.write(server, "run_tests.py", program)
    cells = [{"args": [version, str(size)]} for version in VERSIONS for size in SIZES]
    fixture.json("laptop", "matrix.json", cells)
