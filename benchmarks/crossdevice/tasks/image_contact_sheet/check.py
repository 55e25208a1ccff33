"""Every photo is halved, and the sheet shows them in the order of their names."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

HEADER = len(b"P6\n40 30\n255\n")
ROW = 40 * 3


@each(*range(16))
def check_half(world: World, number: int) -> str | None:
    """A photo is halved: every other pixel of every other row."""
    small = world.now.data("server-1", f"small/photo-{number:02}.ppm")
    return None if small == b"P6\n20 15\n255\n" + half(world, number) else "it is another picture"


def check_sheet(world: World) -> str | None:
    """The sheet on the laptop has all of them, in order."""
    pixels = b"".join(half(world, number) for number in range(16))
    true = b"P6\n20 240\n255\n" + pixels
    return None if world.now.data("laptop", "sheet.ppm") == true else "it is another picture"


def half(world: World, number: int) -> bytes:
    """Return the pixels of a halved photo."""
    pixels = world.given.data("server-1", f"photos/photo-{number:02}.ppm")[HEADER:]
    rows = [pixels[at : at + ROW] for at in range(0, len(pixels), ROW)][::2]
    return b"".join(row[at : at + 3] for row in rows for at in range(0, ROW, 6))
