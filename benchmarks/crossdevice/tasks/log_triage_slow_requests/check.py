"""The table sums up what both logs say of slow requests."""

import json
from statistics import mean

from benchmarks.crossdevice.world import World


def slow(world: World) -> dict[str, list[int]]:
    """Return the times of slow requests, by endpoint."""
    found: dict[str, list[int]] = {}
    for edge in ("edge-1", "edge-2"):
        for line in world.given.text(edge, "logs/access.jsonl").splitlines():
            row = json.loads(line)
            if row["ms"] > world.parameters["limit_ms"]:
                found.setdefault(row["endpoint"], []).append(row["ms"])
    return found


def compare(world: World, column: str, true: dict[str, float]) -> str | None:
    """Hold a column of the table to what is true."""
    rows = world.now.table("laptop", "slow.csv")
    told = {row["endpoint"]: round(float(row[column]), 3) for row in rows}
    same = len(rows) == len(told) and told == {key: round(value, 3) for key, value in true.items()}
    return None if same else f"told {told}, but it is {true}"


def check_counts(world: World) -> str | None:
    """Every endpoint has the number of its slow requests."""
    return compare(world, "count", {key: len(each) for key, each in slow(world).items()})


def check_means(world: World) -> str | None:
    """Every endpoint has the mean time of its slow requests."""
    return compare(world, "mean_ms", {key: mean(each) for key, each in slow(world).items()})


def check_longest(world: World) -> str | None:
    """Every endpoint has the time of its slowest request."""
    return compare(world, "max_ms", {key: max(each) for key, each in slow(world).items()})


def check_untouched(world: World) -> str | None:
    """The logs are as they were."""
    return world.untouched()
