"""Six selfies on a phone."""

from benchmarks.crossdevice.fixture import Fixture

WIDTH, HEIGHT = 32, 24


def make(fixture: Fixture) -> None:
    """Write the selfies, and something that is none."""
    for number in fixture.chance.sample(range(100), 6):
        pixels = fixture.chance.randbytes(WIDTH * HEIGHT * 3)
        fixture.write("phone-1", f"camera/S{number:02}.ppm", b"P6\n32 24\n255\n" + pixels)
    fixture.write("phone-1", "camera/notes.txt", "the second one is the best\n")
