"""A program whose tests fail where its sources say so; the same on three devices."""

from benchmarks.crossdevice.fixture import Fixture

VARIANTS, PLATFORMS = ("debug", "release", "small", "traced"), ("arm", "x86", "wasm")
BUILD = """\
import hashlib, sys
name = "-".join(sys.argv[1:])
source = open("app.src").read()
sys.stdout.write(name + ":" + hashlib.sha256((source + name).encode()).hexdigest()[:16])
"""
TEST = """\
import sys
name = sys.argv[1].partition(":")[0]
sys.stdout.write(sys.argv[1])
sys.exit(3 if "broken on " + name in open("app.src").read().splitlines() else 0)
"""


def make(fixture: Fixture) -> None:
    """Write the sources and the matrix."""
    rows = [{"variant": each, "platform": other} for each in VARIANTS for other in PLATFORMS]
    broken = [
        f"broken on {each['variant']}-{each['platform']}"
        for each in fixture.chance.sample(rows, 3)
    ]
    source = "\n".join([fixture.chance.randbytes(40).hex(), *broken, ""])
    for device in ("laptop", "server-1", "server-2"):
        fixture.write(device, "src/build.py", BUILD)
        fixture.write(device, "src/test.py", TEST)
        fixture.write(device, "src/app.src", source)
    fixture.chance.shuffle(rows)
    fixture.table("laptop", "matrix.csv", rows)
