"""The wiki is that of the newest sound archive."""

import hashlib

from benchmarks.crossdevice.world import World


def check_pages(world: World) -> str | None:
    """Every page is there as it was packed, and no other."""
    found = {
        path.removeprefix("wiki/"): world.now.text("laptop", path)
        for path in world.now.files("laptop", "wiki")
    }
    return None if found == world.known["pages"] else f"there are {sorted(found)}"


def check_archive(world: World) -> str | None:
    """The report names the archive."""
    (row,) = world.now.report("laptop", "drill.md")["Restored from"]
    return None if row["path"].endswith(world.known["archive"]) else f"it names {row['path']}"


def check_list(world: World) -> str | None:
    """The report lists the pages with their hashes."""
    rows = world.now.report("laptop", "drill.md")["Files"]
    told = {row["path"]: row["sha256"] for row in rows}
    true = {
        name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in world.known["pages"].items()
    }
    return None if told == true else f"told {told}"


def check_untouched(world: World) -> str | None:
    """The vault is as it was."""
    return world.untouched()
