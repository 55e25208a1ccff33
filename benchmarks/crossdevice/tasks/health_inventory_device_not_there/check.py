"""The weak sensors of each edge are in the table, wherever their file was."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


def sensors(world: World) -> list[dict[str, object]]:
    """Return all sensors of the three edges."""
    return [
        row
        for edge in ("edge-1", "edge-2")
        for path in world.given.files(edge)
        for row in world.given.json(edge, path)
        if row["edge"] != "edge-9"
    ]


@each("edge-1", "edge-2", "edge-3")
def check_weak(world: World, edge: str) -> str | None:
    """The weak sensors of an edge are there, with their battery, and no other of it."""
    limit = int(str(world.parameters["percent"]))
    true = sorted(
        (str(row["sensor"]), str(row["battery"]))
        for row in sensors(world)
        if row["edge"] == edge and int(str(row["battery"])) < limit
    )
    rows = world.now.table("laptop", "weak.csv")
    told = sorted((row["sensor"], row["battery"]) for row in rows if row["edge"] == edge)
    return None if told == true else f"told {told}, but it is {true}"


def check_strangers(world: World) -> str | None:
    """There is nothing of any other edge."""
    edges = {row["edge"] for row in world.now.table("laptop", "weak.csv")}
    more = edges - {"edge-1", "edge-2", "edge-3"}
    return f"there is {sorted(more)}" if more else None


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()
