"""Two logs of three hours; the last hour has more errors than usual, or just not."""

from datetime import UTC, datetime

from benchmarks.crossdevice.fixture import Fixture

MARGIN_S = 120  # around the hour: the search counts from when it runs, not from now


def make(fixture: Fixture) -> None:
    """Write each log, oldest first, and its last hour into the archive."""
    total = fixture.chance.choice((40, 41, 57))
    first = fixture.chance.randrange(5, 35)
    for edge, errors in (("edge-1", first), ("edge-2", total - first)):
        young = [fixture.chance.uniform(0, 3600 - MARGIN_S) for _ in range(150)]
        old = [fixture.chance.uniform(3600 + MARGIN_S, 3 * 3600) for _ in range(200)]
        bad = {*fixture.chance.sample(young, errors), *fixture.chance.sample(old, 60)}
        lines = {age: line(fixture, age, "ERROR" if age in bad else "INFO") for age in young + old}
        text = "".join(lines[age] for age in sorted(lines, reverse=True))
        fixture.write(edge, "logs/ingest.log", text)
        last = "".join(lines[age] for age in sorted(young, reverse=True))
        fixture.page(f"archive/{edge}.log", last, content_type="text/plain")
    fixture.tell("errors", total)


def line(fixture: Fixture, age: float, level: str) -> str:
    """Return a line of the log."""
    stamp = datetime.fromtimestamp(fixture.now - age, UTC).isoformat(timespec="seconds")
    return f"{stamp} {level} ingest: batch {fixture.chance.randrange(10**6)}\n"
