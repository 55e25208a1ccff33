"""A folder of files, and its mirror: some are the same, changed, new or gone."""

from benchmarks.crossdevice.fixture import Fixture

DAY = 86_400.0
KINDS = ("same", "same", "same", "changed", "new", "gone")


def make(fixture: Fixture) -> None:
    """Write both; what is the same is as old on both sides."""
    for number in range(24):
        name = f"{fixture.chance.choice(('plan', 'draft', 'data'))}-{number:02}.bin"
        data = fixture.chance.randbytes(fixture.chance.randrange(200, 1500))
        kind = fixture.chance.choice(KINDS)
        if kind != "gone":
            fixture.write("laptop", f"papers/{name}", data, age_s=4 * DAY)
        if kind != "new":
            old = data[::-1] if kind == "changed" else data
            fixture.write("gpu-1", f"mirror/{name}", old, age_s=4 * DAY)
