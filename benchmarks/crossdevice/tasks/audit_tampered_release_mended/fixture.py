"""A release of thirty files on two servers; on the edge some are changed, gone or new."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the files."""
    chance = fixture.chance
    release = {
        f"{chance.choice(('bin', 'lib', 'share'))}/f{n:02}.txt": f"{chance.randrange(10**12)}\nü\n"
        for n in range(30)
    }
    for server in ("server-1", "server-2"):
        for path, text in release.items():
            fixture.write(server, f"release/{path}", text)
    there = dict(release)
    for path in chance.sample(sorted(release), 7):
        there[path] += "backdoor\n"
    for path in chance.sample(sorted(release), 3):
        there.pop(path)
    there["lib/site.conf"] = "name = shop 12\n"
    for path, text in there.items():
        fixture.write("edge-1", f"release/{path}", text)
