"""Reviews that say something of a topic, in some mood; each has a number, so that all differ."""

from benchmarks.crossdevice.fixture import Fixture

TOPICS = {"food": ("soup", "bread", "dessert"), "room": ("bed", "view", "shower")}
MOODS = {"glad": ("lovely", "great"), "cross": ("awful", "cold"), "calm": ("fine", "usual")}


def make(fixture: Fixture) -> None:
    """Write both models, and twelve batches of eight."""
    for name, labels in (("topic", TOPICS), ("mood", MOODS)):
        weights = {
            label: {word: round(fixture.chance.uniform(0.2, 3.0), 3) for word in words}
            for label, words in labels.items()
        }
        fixture.json("gpu-1", f"models/{name}.json", weights)
    words = [word for labels in (TOPICS, MOODS) for each in labels.values() for word in each]
    texts = [f"{number}: {' '.join(fixture.chance.choices(words, k=6))}" for number in range(96)]
    batches = [{"texts": texts[at : at + 8]} for at in range(0, len(texts), 8)]
    fixture.json("laptop", "reviews.json", batches)
