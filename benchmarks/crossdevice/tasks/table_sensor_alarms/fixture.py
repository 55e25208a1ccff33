"""Two halls full of sensors; each edge has the readings of both."""

from benchmarks.crossdevice.fixture import Fixture

HOT = 5  # of the sensors of a hall may be above the limit; with 220 readings some are


def make(fixture: Fixture) -> None:
    """Write the same readings on both edges; wild values are mostly bad ones."""
    for hall in ("hall-a", "hall-b"):
        rows = [reading(fixture, hall) for _ in range(220)]
        for edge in ("edge-1", "edge-2"):
            fixture.table(edge, f"readings/{hall}.csv", rows)


def reading(fixture: Fixture, hall: str) -> dict[str, object]:
    """Draw a reading."""
    number = fixture.chance.randrange(16)
    value = fixture.chance.randrange(40, 90 if number < HOT else 78)
    quality = fixture.chance.choice(("ok", "ok", "ok", "noisy", "stuck"))
    if quality != "ok":
        value += fixture.chance.randrange(30)
    return {"hall": hall, "sensor": f"{hall}/{number:02}", "value": value, "quality": quality}
