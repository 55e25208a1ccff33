"""Photos on three devices; some were copied and renamed, small icons are everywhere."""

from benchmarks.crossdevice.fixture import Fixture

DEVICES = "phone-1", "laptop", "gpu-1"


def make(fixture: Fixture) -> None:
    """Write the photos; of two of the same size only one is a copy."""
    chance = fixture.chance
    shots = [chance.randbytes(chance.randint(150, 900)) for _ in range(25)]
    for number, shot in enumerate(shots):
        for copy in range(chance.choice((1, 1, 2, 3))):
            name = f"{chance.choice(('IMG', 'cam/DSC', 'old/scan'))}_{number:03}_{copy}.raw"
            fixture.write(chance.choice(DEVICES), f"media/{name}", shot)
    fixture.write("phone-1", "media/last.raw", chance.randbytes(len(shots[0])))
    fixture.write("gpu-1", "backup/IMG_000.raw", shots[0])
    for device in DEVICES:
        fixture.write(device, "media/icon.raw", b"the same everywhere, but small")
