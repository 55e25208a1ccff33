"""Two models that do not agree on everything, and forty-eight claims."""

from benchmarks.crossdevice.fixture import Fixture

WORDS = {"pay": ("receipt", "witness", "photo", "report"), "refuse": ("late", "copy", "twice")}


def make(fixture: Fixture) -> None:
    """Write the models: the small one's weights are round numbers, so that some score just 2."""
    small = {
        label: {w: fixture.chance.choice((0.5, 1.0)) for w in WORDS[label]} for label in WORDS
    }
    large = {
        label: {w: round(fixture.chance.uniform(0.1, 3), 3) for w in WORDS[label]}
        for label in WORDS
    }
    fixture.json("gpu-1", "models/small.json", small)
    fixture.json("gpu-1", "models/large.json", large)
    words = [word for each in WORDS.values() for word in each]
    texts = [f"{number} {' '.join(fixture.chance.choices(words, k=5))}" for number in range(48)]
    batches = [{"texts": texts[at : at + 6]} for at in range(0, 48, 6)]
    fixture.json("laptop", "claims.json", batches)
