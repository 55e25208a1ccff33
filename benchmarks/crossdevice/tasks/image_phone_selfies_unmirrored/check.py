"""The album has all selfies, turned round, in the order of their names."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

HEADER = len(b"P6\n32 24\n255\n")
ROW, PICTURE = 32 * 3, 32 * 24 * 3


@each(*range(6))
def check_picture(world: World, number: int) -> str | None:
    """This selfie is in its place, turned round."""
    selfies = [p for p in world.given.files("phone-1", "camera") if p.endswith(".ppm")]
    pixels = world.given.data("phone-1", selfies[number])[HEADER:]
    rows = [pixels[at : at + ROW] for at in range(0, PICTURE, ROW)]
    true = b"".join(row[at : at + 3] for row in rows for at in range(ROW - 3, -1, -3))
    album = world.now.data("phone-1", "album.ppm")
    start = len(b"P6\n32 144\n255\n") + number * PICTURE
    return None if album[start : start + PICTURE] == true else "it is another picture"


def check_size(world: World) -> str | None:
    """The album has six pictures and no more."""
    album = world.now.data("phone-1", "album.ppm")
    whole = len(b"P6\n32 144\n255\n") + 6 * PICTURE
    fine = album.startswith(b"P6\n32 144\n255\n") and len(album) == whole
    return None if fine else f"it begins with {album[:14]!r} and has {len(album)} bytes"


def check_untouched(world: World) -> str | None:
    """The selfies are as they were."""
    return world.untouched()
