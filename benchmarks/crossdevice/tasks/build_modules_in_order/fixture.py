"""Sources of five modules, and a compiler that makes an object of a source and other objects."""

from benchmarks.crossdevice.fixture import Fixture

COMPILE = """\
import hashlib, sys
module, *objects = sys.argv[1:]
text = open(module + ".src").read() + "".join(objects)
sys.stdout.write(module + "-" + hashlib.sha256(text.encode()).hexdigest())
"""
SELFTEST = """\
import sys
sys.exit(0 if sys.argv[1].startswith("app-") else 1)
"""


def make(fixture: Fixture) -> None:
    """Write them on all that can build."""
    sources = {
        each: fixture.chance.randbytes(60).hex() for each in ("core", "net", "store", "ui", "app")
    }
    for device in ("laptop", "server-1", "server-2"):
        fixture.write(device, "tools/compile.py", COMPILE)
        fixture.write(device, "tools/selftest.py", SELFTEST)
        for module, text in sources.items():
            fixture.write(device, f"src/{module}.src", text)
