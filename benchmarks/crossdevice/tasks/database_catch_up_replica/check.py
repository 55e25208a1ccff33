"""The copy has what has changed, has lost who is gone, and is as it was otherwise."""

from typing import Any

from benchmarks.crossdevice.world import Tree, World


def check_members(world: World) -> str | None:
    """Every member of the copy is as it must be."""
    told, true = members(world.now, "laptop"), expected(world)
    wrong = [n for n in sorted(told.keys() | true.keys()) if told.get(n) != true.get(n)]
    return f"these members are wrong: {wrong[:10]}" if wrong else None


def check_taken(world: World) -> str | None:
    """The report says how many were taken over."""
    told = world.now.report("laptop", "sync.md")["Sync"][0]["taken"]
    return (
        None if told == str(len(taken(world))) else f"told {told}, but it was {len(taken(world))}"
    )


def check_deleted(world: World) -> str | None:
    """The report names who was deleted."""
    rows = world.now.report("laptop", "sync.md")["Deleted"]
    told = sorted(int(row["id"]) for row in rows)
    true = sorted(members(world.given, "laptop").keys() - members(world.given, "server-1").keys())
    return None if told == true else f"told {told}, but it was {true}"


def check_untouched(world: World) -> str | None:
    """The servers are as they were."""
    return world.untouched("laptop/members.db")


def members(tree: Tree, device: str) -> dict[int, tuple[Any, ...]]:
    """Return the members by their id."""
    rows = tree.query(device, "members.db", "select id, name, town, changed from members")
    return {row[0]: row for row in rows}


def taken(world: World) -> dict[int, tuple[Any, ...]]:
    """Return those that have changed since the copy."""
    last = max(row[3] for row in members(world.given, "laptop").values())
    return {n: row for n, row in members(world.given, "server-1").items() if row[3] > last}


def expected(world: World) -> dict[int, tuple[Any, ...]]:
    """Return what the copy must have."""
    there = members(world.given, "server-1")
    kept = {n: row for n, row in members(world.given, "laptop").items() if n in there}
    return {**kept, **taken(world)}
