"""Twenty scans of two shapes; three of them are cut off or no pictures at all."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the scans."""
    chance = fixture.chance
    broken = chance.sample(range(2, 20), 3)
    for number in range(20):
        width = (30, 20)[number] if number < 2 else chance.choice((30, 20))
        data = b"P6\n%d %d\n255\n" % (width, 50 - width) + chance.randbytes(1800)
        if number in broken:
            data = data[: chance.randrange(20, 1700)]
        fixture.write("gpu-1", f"scans/scan-{number:02}.ppm", data)
    fixture.tell("broken", [f"scan-{number:02}.ppm" for number in sorted(broken)])
