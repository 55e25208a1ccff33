"""A release on four devices, each of which has drifted from it."""

import hashlib
import json

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the files, and serve what was released."""
    chance = fixture.chance
    release = {f"m{n % 4}/part{n}.py": f"value = {chance.randrange(10**9)}\n" for n in range(24)}
    hashes = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in release.items()}
    for device in ("server-1", "server-2", "edge-1", "edge-2"):
        files = dict(release)
        for path in chance.sample(sorted(files), 3):
            files[path] += "# a quick fix\n"
        for path in chance.sample(sorted(files), 2):
            del files[path]
        files[f"m0/note-{chance.randrange(100)}.txt"] = "remember\n"
        for path, text in files.items():
            fixture.write(device, f"app/{path}", text)
    rows = [{"path": path, "sha256": each} for path, each in hashes.items()]
    fixture.page("release.json", json.dumps(rows), content_type="application/json")
    fixture.tell("release", hashes)
