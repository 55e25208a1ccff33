"""Thirty-six small photos, the same on both servers; some are too dark or too bright."""

from benchmarks.crossdevice.fixture import Fixture

LIGHT = (20, 60), (60, 100), (90, 160), (110, 170), (160, 200), (195, 250)


def make(fixture: Fixture) -> None:
    """Write the photos."""
    chance = fixture.chance
    for number in range(36):
        low, high = LIGHT[number] if number < 6 else chance.choice(LIGHT)
        width, height = chance.choice(((24, 16), (16, 24)))
        pixels = bytes(chance.randint(low, high) for _ in range(width * height * 3))
        for server in ("server-1", "server-2"):
            header = b"P6\n%d %d\n255\n" % (width, height)
            fixture.write(server, f"photos/p{number:02}.ppm", header + pixels)
