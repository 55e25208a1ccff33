"""The list has the addresses that fail too often, and no others."""

from collections import Counter

from benchmarks.crossdevice.world import World


def failures(world: World) -> Counter[str]:
    """Count the failed passwords by address."""
    lines = [each for each in world.known["lines"] if each.startswith("sshd: Failed")]
    return Counter(each.split(" from ")[1].split()[0] for each in lines)


def listed(world: World) -> dict[str, int]:
    """Return what the list says; the order of its lines is nobody's business."""
    rows = world.now.table("laptop", "block.csv")
    return {row["key"]: int(row["failures"]) for row in rows}


def check_addresses(world: World) -> str | None:
    """Whoever failed so often is in the list, and nobody else."""
    limit = world.parameters["limit"]
    true = {each for each, count in failures(world).items() if count >= limit}
    return None if listed(world).keys() == true else f"listed {listed(world)}, but it is {true}"


def check_counts(world: World) -> str | None:
    """Each address in the list has the number of its failures."""
    wrong = [key for key, count in listed(world).items() if failures(world)[key] != count]
    return f"wrong for {wrong}" if wrong else None


def check_total(world: World) -> str | None:
    """The report has the number of all failures."""
    (row,) = world.now.report("laptop", "failed.md")["Total"]
    true = failures(world).total()
    return None if int(row["failures"]) == true else f"told {row}, but it is {true}"
