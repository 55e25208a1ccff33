"""The notes hold the first line of every fragment, each once, by kind."""

from pathlib import PurePosixPath

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

TABLES = {"Features": "feature", "Fixes": "fix", "Removals": "removal"}


@each(*TABLES)
def check_table(world: World, heading: str) -> str | None:
    """The table has each fragment of its kind once, with its first line."""
    rows = world.now.report("laptop", "release-notes.md")[heading]
    text = world.now.text("laptop", "release-notes.md").replace("\\|", "|")
    true = fragments(world, TABLES[heading])
    told = sorted(PurePosixPath(row["file"]).name for row in rows)
    if told != sorted(true):
        return f"it has {told}, but there are {sorted(true)}"
    absent = [line for line in true.values() if line not in text]
    return f"it does not say {absent[0]!r}" if absent else None


def check_first_lines(world: World) -> str | None:
    """What follows the first lines is left out."""
    text = world.now.text("laptop", "release-notes.md")
    return "it has more than the first lines" if "See ticket" in text else None


def check_counts(world: World) -> str | None:
    """The counts are those of the fragments."""
    rows = world.now.report("laptop", "release-notes.md")["Counts"]
    told = {row["key"]: int(row["count"]) for row in rows}
    true = {kind: len(found) for kind in TABLES.values() if (found := fragments(world, kind))}
    return None if told == true else f"told {told}, but there are {true}"


def check_untouched(world: World) -> str | None:
    """The fragments are as they were."""
    return world.untouched()


def fragments(world: World, kind: str) -> dict[str, str]:
    """Return the first lines of the fragments of a kind, by file."""
    return {
        PurePosixPath(path).name: world.given.text(device, path).splitlines()[0]
        for device in ("server-1", "edge-1")
        for path in world.given.files(device, "changes")
        if path.endswith(f".{kind}.md")
    }
