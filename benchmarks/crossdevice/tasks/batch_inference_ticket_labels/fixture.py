"""Sixty tickets in twelve batches, and a model of three labels."""

from benchmarks.crossdevice.fixture import Fixture

WORDS = {
    "billing": ("invoice", "refund", "charged"),
    "network": ("timeout", "router", "offline"),
    "account": ("password", "login", "locked"),
}
FILLER = ("please", "help", "since", "monday", "again", "the", "my")


def make(fixture: Fixture) -> None:
    """Write the tickets and the model's weights."""
    weights = {
        label: {word: round(fixture.chance.uniform(0.5, 2.0), 2) for word in words}
        for label, words in WORDS.items()
    }
    fixture.json("gpu-1", "models/tickets.json", weights)
    batches = [{"texts": [ticket(fixture) for _ in range(5)]} for _ in range(12)]
    fixture.json("laptop", "batches.json", batches)


def ticket(fixture: Fixture) -> str:
    """Draw one ticket: mostly of one label."""
    label = fixture.chance.choice(list(WORDS))
    words = [
        *fixture.chance.choices(WORDS[label], k=2),
        *fixture.chance.choices(FILLER, k=4),
        fixture.chance.choice(WORDS[fixture.chance.choice(list(WORDS))]),
    ]
    fixture.chance.shuffle(words)
    return " ".join(words)
