"""Two releases that only the index knows, and an old configuration on four devices."""

import json

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Serve the index and what it links to, the latest first."""
    for device in ("phone-1", "gpu-1", "server-1", "server-2"):
        old = {"version": 10, "interval_s": 30, "server": f"{device}.old"}
        fixture.json(device, "agent.json", old)
    links = []
    for version in (12, 11):
        name = f"{version}-{fixture.chance.randrange(16**6):06x}.json"
        interval = fixture.chance.randrange(5, 29)
        body = {"version": version, "interval_s": interval, "server": "hub.lan"}
        fixture.page(f"releases/{name}", json.dumps(body), content_type="application/json")
        links.append(f'<li><a href="{name}">version {version}</a></li>')
        fixture.tell(f"version-{version}", body)
    title = "<title>Releases, the latest first</title>"
    fixture.page("releases/index.html", f"<html>{title}<ul>{''.join(links)}</ul></html>")
