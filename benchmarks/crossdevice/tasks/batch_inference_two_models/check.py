"""The matrix counts what the weights of both models give."""

import re
from collections import Counter

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


def label(world: World, model: str, text: str) -> str:
    """Label a text by hand."""
    weights = world.given.json("gpu-1", f"models/{model}.json")
    words = re.findall("[a-z]+", text)
    return max(map(str, weights), key=lambda k: sum(weights[k].get(word, 0) for word in words))


def true(world: World) -> Counter[tuple[str, str]]:
    """Count topics and moods."""
    texts = [t for batch in world.given.json("laptop", "reviews.json") for t in batch["texts"]]
    return Counter((label(world, "topic", text), label(world, "mood", text)) for text in texts)


def matrices(world: World) -> list[Counter[tuple[str, str]]]:
    """Return the matrix of each server that has one."""
    return [
        Counter({(row["topic"], row["mood"]): int(row["count"]) for row in rows})
        for server in ("server-1", "server-2")
        if world.now.exists(server, "matrix.csv")
        for rows in [world.now.table(server, "matrix.csv")]
    ]


@each("glad", "cross", "calm")
def check_mood(world: World, mood: str) -> str | None:
    """One server has the right count of every topic in a mood."""
    wanted = {key: count for key, count in true(world).items() if key[1] == mood}
    told = [{k: n for k, n in m.items() if k[1] == mood} for m in matrices(world)]
    return None if wanted in told else f"told {told}, but it is {wanted}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched()
