"""The counts are those that the weights give."""

import re

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


def counted(world: World, label: str) -> int:
    """Count a label by hand."""
    weights = world.given.json("gpu-1", "models/calls.json")
    true = 0
    for batch in world.given.json("server-1", "calls.json"):
        for text in batch["texts"]:
            found = re.findall("[a-z]+", text)
            scores = {k: sum(found.count(w) * x for w, x in v.items()) for k, v in weights.items()}
            true += max(scores, key=lambda name: round(scores[name], 6)) == label
    return true


@each("sale", "repair", "other")
def check_count(world: World, label: str) -> str | None:
    """A label is counted as often as the weights give it."""
    rows, true = world.now.table("laptop", "calls.csv"), counted(world, label)
    told = sum(int(row["count"]) for row in rows if row["label"] == label)
    return None if told == true else f"told {told}, but it is {true}"


def check_once(world: World) -> str | None:
    """Every label has one row at most."""
    names = [row["label"] for row in world.now.table("laptop", "calls.csv")]
    return None if len(names) == len(set(names)) else f"told {names}"


def check_told(world: World) -> str | None:
    """The site was told the same."""
    body = world.sent().get("calls/today")
    rows = body["rows"] if isinstance(body, dict) else ()
    told = sorted((row["label"], int(row["count"])) for row in rows)
    true = [(k, n) for k in ("other", "repair", "sale") if (n := counted(world, k))]
    return None if told == true else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()
