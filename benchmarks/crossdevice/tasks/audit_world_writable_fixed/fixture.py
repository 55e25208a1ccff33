"""Two servers with files of many permissions; some on the one are not on the other."""

from benchmarks.crossdevice.fixture import Fixture

FOLDERS = ("", "app/", "app/keys/", "shared/", "shared/drop/")
MODES = (0o644, 0o600, 0o666, 0o622, 0o640, 0o667, 0o755, 0o602)


def make(fixture: Fixture) -> None:
    """Write the files."""
    for server in ("server-1", "server-2"):
        for number in range(30):
            folder, mode = fixture.chance.choice(FOLDERS), fixture.chance.choice(MODES)
            text = f"value = {fixture.chance.randrange(10**6)}\n"
            fixture.write(server, f"etc/{folder}f{number}.conf", text, mode=mode)
        fixture.write(server, "etc/open.conf", "open = 1\n", mode=0o666)
        fixture.write(server, "etc/shared/open.conf", "open = 1\n", mode=0o666)
        fixture.write(server, "home/open.txt", "not in etc\n", mode=0o666)
