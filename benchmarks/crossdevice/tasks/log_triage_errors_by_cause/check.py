"""The report holds the causes of the last day, and how often each was logged."""

import re
from collections import Counter
from datetime import datetime

from benchmarks.crossdevice.world import Tree, World

REPORT = "laptop", "triage.md"


def check_causes(world: World) -> str | None:
    """The causes in the report are those in the logs."""
    told, true = in_report(world), in_logs(world)
    return None if told.keys() == true.keys() else f"told {sorted(told)}, logged {sorted(true)}"


def check_counts(world: World) -> str | None:
    """Each cause is counted as often as it was logged on both servers."""
    told, true = in_report(world), in_logs(world)
    return None if told == true else f"told {told}, logged {true}"


def check_logs(world: World) -> str | None:
    """The logs are as they were."""
    return None if logs(world.now) == logs(world.given) else "a log has changed"


def logs(tree: Tree) -> list[str]:
    """Return the text of every log."""
    paths = [(s, path) for s in ("server-1", "server-2") for path in tree.files(s, "logs")]
    return [tree.text(*each) for each in paths]


def in_report(world: World) -> Counter[str]:
    """Return the counts of the report."""
    rows = world.now.report(*REPORT)["Causes"]
    return Counter({row["key"]: int(row["count"]) for row in rows})


def in_logs(world: World) -> Counter[str]:
    """Count what was logged in the last day."""
    found: Counter[str] = Counter()
    for each in "".join(logs(world.given)).splitlines():
        stamp, level, text = each.split(" ", 2)
        if level != "INFO" and datetime.fromisoformat(stamp).timestamp() > world.seconds - 86_400:
            found[re.sub(r"\d+", "#", text)] += 1
    return found
