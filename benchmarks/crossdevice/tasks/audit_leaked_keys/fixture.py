"""Six repositories, cloned on both servers, with keys in some files; a few are examples."""

import json
import string

from benchmarks.crossdevice.fixture import Fixture

REPOSITORIES = "api", "web", "infra", "mobile", "docs", "tools"
CAPITALS = string.ascii_uppercase + string.digits


def make(fixture: Fixture) -> None:
    """Write the clones, and serve the list of examples, by the paths on the servers."""
    chance = fixture.chance
    keys, examples = [], []
    own = fixture.url.rsplit("/", 1)[-1]  # the folder of this run, as skills name paths
    for repository in REPOSITORIES:
        for number in range(8):
            path = f"repos/{repository}/src/file{number}.py"
            lines = [f"x{n} = {chance.randrange(10**6)}" for n in range(25)]
            lines[3] = "AKIA = 'too short: AKIA12'"
            for at in chance.sample(range(5, 25), chance.choice((0, 0, 1, 2))):
                lines[at] = f'key = "AKIA{"".join(chance.choices(CAPITALS, k=16))}"'
                keys.append((path, at + 1, lines[at].split('"')[1]))
            for server in ("server-1", "server-2"):
                fixture.write(server, path, "\n".join(lines) + "\n")
    for path, line, _ in chance.sample(keys, len(keys) // 4):
        examples.append((path, line))
    rows = [{"file": f"{own}/{path}", "line": line} for path, line in examples]
    fixture.page("examples.json", json.dumps(rows), content_type="application/json")
    fixture.tell("keys", keys)
    fixture.tell("examples", examples)
