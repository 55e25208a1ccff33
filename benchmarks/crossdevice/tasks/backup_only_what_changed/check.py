"""The mirror is up to date, and the lists say how."""

from benchmarks.crossdevice.world import Tree, World


def hashes(tree: Tree, device: str, folder: str) -> dict[str, str]:
    """Return the hash of every file in a folder, by its name."""
    paths = tree.files(device, folder)
    return {path.removeprefix(f"{folder}/"): tree.sha256(device, path) for path in paths}


def listed(world: World, name: str) -> dict[str, str]:
    """Return a list on the laptop."""
    return {row["path"]: row["sha256"] for row in world.now.table("laptop", name)}


def check_mirror(world: World) -> str | None:
    """The mirror has every file of the laptop, and still what is gone there."""
    papers, old = hashes(world.given, "laptop", "papers"), hashes(world.given, "gpu-1", "mirror")
    now = hashes(world.now, "gpu-1", "mirror")
    return None if now == old | papers else f"it has {sorted(now)}"


def check_copied(world: World) -> str | None:
    """The list has what was new or had changed, and no more."""
    papers, old = hashes(world.given, "laptop", "papers"), hashes(world.given, "gpu-1", "mirror")
    true = {name: each for name, each in papers.items() if old.get(name) != each}
    return None if listed(world, "copied.csv") == true else f"it must be {sorted(true)}"


def check_stale(world: World) -> str | None:
    """The other list has what is gone from the laptop."""
    papers, old = hashes(world.given, "laptop", "papers"), hashes(world.given, "gpu-1", "mirror")
    true = {name: each for name, each in old.items() if name not in papers}
    return None if listed(world, "stale.csv") == true else f"it must be {sorted(true)}"


def check_no_others(world: World) -> str | None:
    """Files that were the same were not copied again."""
    for path in world.given.files("gpu-1", "mirror"):
        times = [each.path("gpu-1", path).stat().st_mtime for each in (world.given, world.now)]
        same = world.given.data("gpu-1", path) == world.now.data("gpu-1", path)
        if same and times[0] != times[1]:
            return f"{path} was written again"
    return None


def check_untouched(world: World) -> str | None:
    """The folder on the laptop is as it was."""
    return world.untouched("gpu-1/mirror/*")
