"""The report has the elections from the leader's log."""

from collections import Counter
from datetime import datetime

from benchmarks.crossdevice.world import World

PERIOD_S = 12 * 3600


def elections(world: World) -> list[str]:
    """Return the lines of the leader's log that the report must have."""
    found = []
    for line in world.given.text(world.known["leader"], "logs/cluster.log").splitlines():
        stamp, text = line.split(" ", 1)
        young = datetime.fromisoformat(stamp).timestamp() > world.seconds - PERIOD_S
        if young and text.startswith("election"):
            found.append(line)
    return found


def check_lines(world: World) -> str | None:
    """The lines are those of the leader's log, oldest first."""
    told = [row["text"] for row in world.now.report("laptop", "elections.md")["Elections"]]
    return None if told == elections(world) else f"told {told}"


def check_won(world: World) -> str | None:
    """Each node has as many elections as it won."""
    rows = world.now.report("laptop", "elections.md")["Won"]
    told = {row["key"]: int(row["count"]) for row in rows}
    true = Counter(each.split()[4] for each in elections(world) if "won by" in each)
    return None if told == true else f"told {told}, but it is {dict(true)}"


def check_untouched(world: World) -> str | None:
    """The logs and their copies are as they were."""
    return world.untouched()
