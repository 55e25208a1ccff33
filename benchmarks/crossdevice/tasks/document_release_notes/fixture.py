"""Thirty fragments of two teams; those of each team are on two devices."""

from benchmarks.crossdevice.fixture import Fixture

TEAMS = ("server-1", "server-2"), ("edge-1", "edge-2")
VERBS = {"feature": "Adds", "fix": "Mends", "removal": "Drops"}
THINGS = ("the export", "the alarm of pump 7", "the old login", "a page | a table", "the clock")


def make(fixture: Fixture) -> None:
    """Write the fragments; what follows the first line is for the developers."""
    for number in range(100, 130):
        kind = fixture.chance.choice(tuple(VERBS))
        line = f"{VERBS[kind]} {fixture.chance.choice(THINGS)} ({number})"
        text = f"{line}\n\nSee ticket {fixture.chance.randrange(9000)}, {line.lower()}.\n"
        for device in TEAMS[fixture.chance.random() < 0.4]:
            fixture.write(device, f"changes/{number}.{kind}.md", text)
    for (device, other), kind in zip(TEAMS, ("fix", "removal"), strict=True):
        for each in (device, other):  # so that no table is empty on either side
            fixture.write(each, f"changes/90{len(kind)}.{kind}.md", f"{VERBS[kind]} a bug\n")
    fixture.write("server-1", "changes/README.txt", "One file a change.\n")
