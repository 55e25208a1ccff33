"""The report has every difference on the devices that were asked, all but one at least."""

from collections import Counter

from benchmarks.crossdevice.world import World

DEVICES = "server-1", "server-2", "edge-1", "edge-2"
Differences = list[tuple[str, str]]


def check_asked(world: World) -> str | None:
    """At most one device was not asked, and there is a reason."""
    rows = world.now.report("laptop", "drift.md")["Not asked"]
    if len(rows) > 1 or not all(row["item"] in DEVICES and row["reason"] for row in rows):
        return f"these were not asked: {rows}"
    return None


def check_changed(world: World) -> str | None:
    """The report names every file that is not as released, by device."""
    rows = world.now.report("laptop", "drift.md")["Changed or added"]
    told = sorted((row["item"], row["path"]) for row in rows)
    true = sorted(
        (device, path)
        for device in asked(world)
        for path, digest in tree(world, device).items()
        if world.known["release"].get(path) != digest
    )
    return None if told == true else f"told {told}, but it is {true}"


def check_missing(world: World) -> str | None:
    """The report says of each released file how many devices do not have it as released."""
    rows = world.now.report("laptop", "drift.md")["Missing"]
    told = {row["path"]: int(row["devices"]) for row in rows}
    true = Counter(
        path
        for device in asked(world)
        for path, digest in world.known["release"].items()
        if tree(world, device).get(path) != digest
    )
    return None if told == true else f"told {told}, but it is {dict(true)}"


def check_untouched(world: World) -> str | None:
    """The files are as they were."""
    return world.untouched()


def asked(world: World) -> list[str]:
    """Return the devices that were asked."""
    rows = world.now.report("laptop", "drift.md")["Not asked"]
    return [each for each in DEVICES if each not in {row["item"] for row in rows}]


def tree(world: World, device: str) -> dict[str, str]:
    """Return the hashes of the files of a device."""
    paths = world.given.files(device, "app")
    return {path.removeprefix("app/"): world.given.sha256(device, path) for path in paths}
