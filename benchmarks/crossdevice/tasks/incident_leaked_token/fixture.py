"""Configurations on four devices; some have the token, some one that only looks like it."""

from benchmarks.crossdevice.fixture import Fixture

TOKEN = "tok_live_9f3kQ"  # as in task.yaml  # noqa: S105
OTHERS = ("tok_live_9f3kq", "tok_test_9f3kQ", "none")
COUNTS = {"server-1": 12, "server-2": 9, "edge-1": 6, "edge-2": 6}


def make(fixture: Fixture) -> None:
    """Write the files, readable for all or for the group."""
    for device, count in COUNTS.items():
        leaky = fixture.chance.sample(range(count), fixture.chance.randrange(1, 4))
        for number in range(count):
            token = TOKEN if number in leaky else fixture.chance.choice(OTHERS)
            text = f"[app]\nname = app-{number}\ntoken = {token}\nretries = 3\n"
            folder = fixture.chance.choice(("conf", "conf/old"))
            mode = fixture.chance.choice((0o644, 0o640))
            fixture.write(device, f"{folder}/app-{number}.toml", text, mode=mode)
