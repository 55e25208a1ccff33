"""Twelve services; some answer with an error of their own, some are not there."""

from benchmarks.crossdevice.fixture import Fixture

STATES = (500, 500, 501, 404, 410, 200, 200, 200, 204, 200, 499, 400)


def make(fixture: Fixture) -> None:
    """Serve the health pages, and write the list in any order."""
    states = list(STATES)
    fixture.chance.shuffle(states)
    rows, known = [], {}
    for number, status in enumerate(states):
        name = f"svc-{number:02}"
        fixture.page(f"{name}/health", f"{name}: {status}", status=status)
        url, restart = f"{fixture.url}/{name}/health", f"{fixture.url}/control/{name}/restart"
        rows.append({"name": name, "url": url, "restart": restart})
        known[name] = status
    fixture.table("laptop", "services.csv", rows)
    fixture.tell("status", known)
