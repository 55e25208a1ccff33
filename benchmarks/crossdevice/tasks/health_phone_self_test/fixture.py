"""A phone whose battery is low, and what the last self-test said."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the components, and the last result."""
    rows = [
        {"name": each, "value": fixture.chance.randbytes(8).hex()} for each in ("camera", "gps")
    ]
    fixture.table("phone-1", "selftest/last.csv", rows)
    parts = [{"name": f"part-{fixture.chance.randrange(1000):03}-{n}"} for n in range(12)]
    fixture.table("laptop", "components.csv", parts)
