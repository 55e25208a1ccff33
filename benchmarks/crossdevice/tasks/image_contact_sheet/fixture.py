"""Sixteen photos of noise, each of another colour."""

from benchmarks.crossdevice.fixture import Fixture

WIDTH, HEIGHT = 40, 30


def make(fixture: Fixture) -> None:
    """Write the photos."""
    for number in range(16):
        pixels = fixture.chance.randbytes(WIDTH * HEIGHT * 3)
        header = b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT)
        fixture.write("server-1", f"photos/photo-{number:02}.ppm", header + pixels)
