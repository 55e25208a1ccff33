"""Every claim has the label of the model that has the last word."""

from collections import Counter

from benchmarks.crossdevice.world import World


def true(world: World) -> dict[str, str]:
    """Label every claim by hand."""
    small, large = (
        world.given.json("gpu-1", f"models/{name}.json") for name in ("small", "large")
    )
    found = {}
    for batch in world.given.json("laptop", "claims.json"):
        for text in batch["texts"]:
            score, label = best(small, text)
            found[text] = label if score >= world.parameters["sure"] else best(large, text)[1]
    return found


def best(weights: dict[str, dict[str, float]], text: str) -> tuple[float, str]:
    """Return the best score and its label, the first one where two are as good."""
    scores = [(sum(w.get(word, 0) for word in text.split()), k) for k, w in weights.items()]
    return max(scores, key=lambda each: each[0])


def check_labels(world: World) -> str | None:
    """The table has every claim once, with its label."""
    rows = world.now.table("laptop", "labels.csv")
    told, wanted = {row["text"]: row["label"] for row in rows}, true(world)
    if len(rows) != len(wanted) or told.keys() != wanted.keys():
        return f"{len(rows)} rows of {len(wanted)} claims"
    wrong = [text for text in wanted if told[text] != wanted[text]]
    return f"not so: {wrong}" if wrong else None


def check_summary(world: World) -> str | None:
    """The site was told how many there are of each label."""
    told, wanted = world.sent().get("claims/summary"), Counter(true(world).values())
    same = isinstance(told, dict) and {k: n for k, n in told.items() if n} == wanted
    return None if same else f"told {told}, but it is {wanted}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched()
