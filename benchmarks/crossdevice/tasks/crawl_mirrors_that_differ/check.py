"""What the mirrors serve is kept, and the one that differs is named."""

from pathlib import PurePosixPath

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("north", "south", "east", "west")
def check_mirror(world: World, mirror: str) -> str | None:
    """The mirror's files are kept, in order."""
    lines = world.now.text("laptop", f"mirrors/{mirror}.txt").splitlines()
    told = [line for line in lines if line.strip()]
    return None if told == world.known["served"][mirror] else "it holds something else"


def check_odd(world: World) -> str | None:
    """The report names the mirror that differs, and no other."""
    rows = world.now.report("laptop", "mirrors.md")["Differs"]
    told = [PurePosixPath(row["path"]).stem for row in rows]
    return None if told == [world.known["odd"]] else f"told {told}, not {world.known['odd']}"


def check_hash(world: World) -> str | None:
    """The report has the hash of that file."""
    row = world.now.report("laptop", "mirrors.md")["Differs"][0]
    true = world.now.sha256("laptop", f"mirrors/{world.known['odd']}.txt")
    return None if row["sha256"] == true else f"told {row['sha256']}, but it is {true}"
