"""Two inboxes; of each message the lines, and whether somebody may read it."""

import json

from benchmarks.crossdevice.fixture import Fixture

WORDS = {"spam": ("prize", "winner", "click"), "ham": ("meeting", "invoice", "thanks")}


def make(fixture: Fixture) -> None:
    """Write the inboxes and the model. Consent that is no true, such as 1 or yes, is none."""
    weights = {
        label: {word: round(fixture.chance.uniform(0.5, 2), 2) for word in words}
        for label, words in WORDS.items()
    }
    fixture.json("gpu-1", "models/spam.json", weights)
    words = [word for each in WORDS.values() for word in each]
    for edge, count in (("edge-1", 16), ("edge-2", 22)):
        rows = [
            {
                "id": n,
                "consent": fixture.chance.choice((True, True, False, "yes", None)),
                "lines": [
                    f"{edge} {n}.{k} {' '.join(fixture.chance.choices(words, k=4))}"
                    for k in range(fixture.chance.randrange(1, 4))
                ],
            }
            for n in range(count)
        ]
        fixture.write(edge, "inbox.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
