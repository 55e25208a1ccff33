"""Calls on both servers, a model, and in the cache what it said of the same calls last night."""

import json

from benchmarks.crossdevice.fixture import Fixture

WORDS = {"sale": ("order", "price"), "repair": ("broken", "noise"), "other": ("address", "hello")}


def make(fixture: Fixture) -> None:
    """Write the calls, the weights and the cache."""
    weights = {
        label: {word: fixture.chance.uniform(1, 3) for word in words}
        for label, words in WORDS.items()
    }
    fixture.json("gpu-1", "models/calls.json", weights)
    words = [word for each in WORDS.values() for word in each]
    texts = [f"{n}: {' '.join(fixture.chance.choices(words, k=7))}" for n in range(80)]
    batches = [{"texts": texts[at : at + 8]} for at in range(0, 80, 8)]
    for server in ("server-1", "server-2"):
        fixture.json(server, "calls.json", batches)
    rows = [{"text": text, "label": label(weights, text)} for text in texts]
    fixture.page("cache/labels.json", json.dumps(rows), content_type="application/json")


def label(weights: dict[str, dict[str, float]], text: str) -> str:
    """Return what the model says of a text."""
    words = text.split()
    return max(weights, key=lambda name: round(sum(weights[name].get(w, 0) for w in words), 6))
