"""A day of a mail server's logins, a page an hour; a few addresses do not stop trying."""

import json

from benchmarks.crossdevice.fixture import Fixture

HOURS = 24


def make(fixture: Fixture) -> None:
    """Serve the hours, and tell the checkers what they say."""
    calm = [f"203.0.113.{fixture.chance.randrange(256)}" for _ in range(40)]
    busy = [f"198.51.100.{fixture.chance.randrange(256)}" for _ in range(5)]
    hours = [hourly(fixture, calm, busy) for _ in range(HOURS)]
    for address, times in (("192.0.2.20", 20), ("192.0.2.19", 19)):  # at the limit, and below it
        for _ in range(times):
            lines = fixture.chance.choice(hours)
            lines.append(f"sshd: Failed password for bob from {address} port 22")
    pages = {f"auth/hour-{number:02}.log": "\n".join(lines) for number, lines in enumerate(hours)}
    for path, text in pages.items():
        fixture.page(path, text, content_type="text/plain")
    index = json.dumps([f"{fixture.url}/{path}" for path in pages])
    fixture.page("auth/index.json", index, content_type="application/json")
    fixture.tell("lines", [line for text in pages.values() for line in text.splitlines()])


def hourly(fixture: Fixture, calm: list[str], busy: list[str]) -> list[str]:
    """Draw the log of an hour."""
    lines = []
    for _ in range(40):
        address = fixture.chance.choice(calm if fixture.chance.random() < 0.7 else busy)
        user = fixture.chance.choice(("anna", "root", "invalid user admin"))
        word = fixture.chance.choice(("Accepted", "Failed", "Failed"))
        lines.append(f"sshd: {word} password for {user} from {address} port 22")
    return lines
