"""Thirty-two services with a page each; the index has moved."""

from benchmarks.crossdevice.fixture import Fixture

STATES = ("up", "up", "up", "slow, not DOWNGRADED", "DOWN", "DOWN since noon")


def make(fixture: Fixture) -> None:
    """Serve the pages; of every third seed all is well."""
    states = STATES[: fixture.chance.choice((4, 6, 6))]
    links, down = [], {}
    for number in range(32):
        path = f"v2/services/{number:02}.html"
        title = f"Service {number}: {fixture.chance.choice(states)}"
        fixture.page(path, f"<html><head><title>{title}</title></head><p>DOWN is bad.</p></html>")
        links.append(f'<li><a href="services/{number:02}.html">{number}</a></li>')
        if "DOWN" in title.split():
            down[f"{fixture.url}/{path}"] = title
    fixture.page("status/index.html", "moved to v2/status.html", status=404)
    fixture.page("v2/status.html", f"<html><title>All</title><ul>{''.join(links)}</ul></html>")
    fixture.tell("down", down)
