"""Two servers log for three days; a quarter of the lines are errors of five causes."""

from datetime import UTC, datetime

from benchmarks.crossdevice.fixture import Fixture

CAUSES = ("payment {} was declined", "disk {} is full", "worker {} ran out of memory")
MARGIN_S = 600.0  # no line is so close to the border of the last day


def make(fixture: Fixture) -> None:
    """Write a log of each service on each server."""
    for server in ("server-1", "server-2"):
        for service in ("api", "mail"):
            ages = sorted(
                (fixture.chance.uniform(0, 3 * 86_400) for _ in range(400)), reverse=True
            )
            lines = [line(fixture, age) for age in ages if abs(age - 86_400) > MARGIN_S]
            fixture.write(server, f"logs/{service}.log", "\n".join(lines) + "\n")


def line(fixture: Fixture, age_s: float) -> str:
    """Draw one line."""
    stamp = datetime.fromtimestamp(fixture.now - age_s, UTC).isoformat(timespec="seconds")
    number = fixture.chance.randrange(1000)
    if fixture.chance.random() < 0.25:
        level = fixture.chance.choice(("ERROR", "CRITICAL"))
        return f"{stamp} {level} {fixture.chance.choice(CAUSES).format(number)}"
    return f"{stamp} INFO served request {number}"
