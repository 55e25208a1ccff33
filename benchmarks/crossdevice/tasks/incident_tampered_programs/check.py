"""All programs are golden, and the strangers are listed and still there."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

EDGES = ("edge-1", "edge-2")


def manifest(world: World) -> dict[str, str]:
    """Return the hash that each program must have."""
    return {r["path"]: r["sha256"] for r in world.given.table("laptop", "manifest.csv")}


@each(*EDGES)
def check_programs(world: World, edge: str) -> str | None:
    """Every program of the manifest is on an edge as it must be."""
    true = manifest(world)
    wrong = [name for name, sha in true.items() if world.now.sha256(edge, f"bin/{name}") != sha]
    return f"not so: {wrong}" if wrong else None


@each(*EDGES)
def check_strangers(world: World, edge: str) -> str | None:
    """The report has the files of an edge that the manifest does not know, with their hashes."""
    known = {f"bin/{name}" for name in manifest(world)}
    strange = [path for path in world.given.files(edge, "bin") if path not in known]
    true = {path.removeprefix("bin/"): world.given.sha256(edge, path) for path in strange}
    rows = world.now.report("laptop", "intruders.md").get(edge, ())
    told = {row["path"].rpartition("/")[2]: row["sha256"] for row in rows}
    return None if told == true else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """Nothing else was changed, and no file more is on the edges."""
    known = {f"bin/{name}" for name in manifest(world)}
    for edge in EDGES:
        more = {*world.now.files(edge, "bin")} - {*world.given.files(edge, "bin")} - known
        if more:
            return f"there is {sorted(more)} on {edge}"
    return world.untouched(*(f"{edge}/{path}" for edge in EDGES for path in known))
