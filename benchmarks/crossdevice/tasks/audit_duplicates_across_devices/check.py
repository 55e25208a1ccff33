"""The report has every file that is there more than once, and where it is."""

from collections import defaultdict

from benchmarks.crossdevice.world import World

Place = tuple[str, str]


def check_copies(world: World) -> str | None:
    """The report says how many copies there are, and what they take."""
    rows = world.now.report("laptop", "copies.md")["Copies"]
    told = {row["sha256"]: (int(row["copies"]), int(row["bytes"])) for row in rows}
    true = {
        digest: (len(places), sum(len(world.given.data(*each)) for each in places))
        for digest, places in copies(world).items()
    }
    return None if told == true else f"{len(told)} files, not {len(true)}, or other figures"


def check_where(world: World) -> str | None:
    """The report says where each copy is."""
    rows = world.now.report("laptop", "copies.md")["Where"]
    told = sorted((row["sha256"], row["item"], row["path"]) for row in rows)
    true = sorted(
        (digest, device, path.removeprefix("media/"))
        for digest, places in copies(world).items()
        for device, path in places
    )
    return None if told == true else f"{len(told)} places, not {len(true)}, or others"


def check_untouched(world: World) -> str | None:
    """All files are as they were."""
    return world.untouched()


def copies(world: World) -> dict[str, list[Place]]:
    """Return the places of what is there more than once, by its hash."""
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for device in ("phone-1", "laptop", "gpu-1"):
        for path in world.given.files(device, "media"):
            if len(world.given.data(device, path)) >= int(str(world.parameters["least"])):
                found[world.given.sha256(device, path)].append((device, path))
    return {digest: places for digest, places in found.items() if len(places) > 1}
