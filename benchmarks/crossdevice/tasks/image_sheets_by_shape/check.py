"""The sheets have the grey scans by their shape, and the broken ones are named."""

from pathlib import PurePosixPath

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("wide", "tall")
def check_sheet(world: World, shape: str) -> str | None:
    """The sheet has the good scans of its shape, grey, by name."""
    size = b"30 20" if shape == "wide" else b"20 30"
    greys = []
    for path in world.given.files("gpu-1", "scans"):
        header, pixels = world.given.data("gpu-1", path)[:13], world.given.data("gpu-1", path)[13:]
        if header[3:8] == size and len(pixels) == 1800:
            means = (sum(pixels[at : at + 3]) // 3 for at in range(0, 1800, 3))
            greys.append(b"".join(bytes([mean] * 3) for mean in means))
    width, height = map(int, size.split())
    true = b"P6\n%d %d\n255\n" % (width, height * len(greys)) + b"".join(greys)
    told = world.now.data("laptop", f"{shape}.ppm")
    return None if told == true else f"it is another picture than that of {len(greys)} scans"


def check_broken(world: World) -> str | None:
    """The report names the scans that cannot be read."""
    rows = world.now.report("laptop", "broken.md")["Broken"]
    told = sorted(PurePosixPath(row["path"]).name for row in rows)
    return None if told == world.known["broken"] else f"told {told}, not {world.known['broken']}"


def check_untouched(world: World) -> str | None:
    """The scans are as they were."""
    return world.untouched()
