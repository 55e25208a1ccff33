"""The labels are those that the weights give, and nothing else has changed."""

from collections import Counter

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("billing", "network", "account")
def check_label(world: World, label: str) -> str | None:
    """A label is counted as often as the weights give it."""
    rows = world.now.report("laptop", "labels.md")["Labels"]
    told = {row["label"]: int(row["count"]) for row in rows}.get(label, 0)
    true = labels(world)[label]
    return None if told == true else f"told {told}, but it is {true}"


def check_inputs(world: World) -> str | None:
    """The tickets and the model are as they were."""
    for device, path in (("laptop", "batches.json"), ("gpu-1", "models/tickets.json")):
        if world.now.text(device, path) != world.given.text(device, path):
            return f"{path} has changed"
    return None


def labels(world: World) -> Counter[str]:
    """Label every ticket by hand."""
    weights = world.given.json("gpu-1", "models/tickets.json")
    found: Counter[str] = Counter()
    for batch in world.given.json("laptop", "batches.json"):
        for text in batch["texts"]:
            score = {k: sum(w.get(word, 0) for word in text.split()) for k, w in weights.items()}
            found[max(score, key=score.__getitem__)] += 1
    return found
