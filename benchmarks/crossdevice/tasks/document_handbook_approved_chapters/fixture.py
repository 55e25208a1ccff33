"""Forty chapters on two servers; some were changed after they had been approved."""

import hashlib
import json

from benchmarks.crossdevice.fixture import Fixture

TOPICS = ("start", "stop", "scale", "backup", "alarms", "access", "updates", "network")


def make(fixture: Fixture) -> None:
    """Write the chapters, and serve the list of what is approved."""
    approved = []
    for number in range(40):
        topic = fixture.chance.choice(TOPICS)
        steps = [
            f"{step}. Check {fixture.chance.choice(TOPICS)} {fixture.chance.randrange(1000)}."
            for step in range(1, fixture.chance.randint(4, 12))
        ]
        text = "\n".join((f"# {number:02} {topic}", "", *steps, ""))
        title = f"How to {topic}, part {number}"
        approved.append({"sha256": hashlib.sha256(text.encode()).hexdigest(), "title": title})
        if number % 5 == fixture.chance.randrange(5):
            text += "\nA sentence that nobody has approved.\n"
        for server in ("server-1", "server-2"):
            fixture.write(server, f"handbook/{number:02}-{topic}.md", text)
    fixture.chance.shuffle(approved)
    fixture.page("approved.json", json.dumps(approved), content_type="application/json")
    fixture.tell("titles", {each["sha256"]: each["title"] for each in approved})
