"""Fourteen programs on two edges, some of them changed, gone, or of strangers."""

import hashlib

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write golden copies, the manifest, and what is left of them on the edges."""
    programs = {f"tool-{n:02}": fixture.chance.randbytes(400 + 40 * n) for n in range(14)}
    rows = []
    for name, data in programs.items():
        for server in ("server-1", "server-2"):
            fixture.write(server, f"golden/{name}", data)
        digest = hashlib.sha256(data).hexdigest()
        rows.append({"path": name, "sha256": digest, "golden": f"{fixture.folder}/golden/{name}"})
    fixture.table("laptop", "manifest.csv", rows)
    for edge in ("edge-1", "edge-2"):
        changed = set(fixture.chance.sample(sorted(programs), 4))
        gone = set(fixture.chance.sample(sorted(programs.keys() - changed), 2))
        for name in sorted(programs.keys() - gone):
            tail = fixture.chance.randbytes(7) if name in changed else b""
            fixture.write(edge, f"bin/{name}", programs[name] + tail)
        for _ in range(fixture.chance.randrange(1, 4)):
            name = f"implant-{fixture.chance.randrange(10**4)}"
            fixture.write(edge, f"bin/{name}", fixture.chance.randbytes(99))
