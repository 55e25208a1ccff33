"""Tenants have what the sheet says, but for those whose limits are no numbers."""

from benchmarks.crossdevice.world import World


def number(text: str) -> int | None:
    """Return a cell's number, if it is one as tables write it."""
    return int(text) if text.isdigit() and str(int(text)) == text else None


def sheet(world: World) -> dict[str, dict[str, object]]:
    """Return what is asked for: path on the server → values, those that fit."""
    found: dict[str, dict[str, object]] = {}
    for row in world.given.table("laptop", "limits.csv"):
        rps, burst = number(row["rps"]), number(row["burst"])
        fits = rps is not None and burst is not None
        values = {"name": row["name"], "version": 2, "rps": rps, "burst": burst}
        found[f"tenants/{row['name']}.json"] = values if fits else {}
    return found


def check_new(world: World) -> str | None:
    """Tenants whose limits are numbers have them in force."""
    wrong = [p for p, v in sheet(world).items() if v and world.now.json("server-1", p) != v]
    return f"not so: {wrong}" if wrong else None


def check_back(world: World) -> str | None:
    """The other tenants have their old limits in force."""
    given, now = world.given, world.now
    wrong = [
        path
        for path, values in sheet(world).items()
        if not values and now.json("server-1", path) != given.json("server-1", path)
    ]
    return f"not so: {wrong}" if wrong else None


def check_refused(world: World) -> str | None:
    """The list on the laptop names them, each once."""
    told = sorted(row["path"] for row in world.now.table("laptop", "refused.csv"))
    true = sorted(path for path, values in sheet(world).items() if not values)
    same = len(told) == len(true) and all(map(str.endswith, told, true))
    return None if same else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """Nothing else was changed."""
    return world.untouched("server-1/tenants/*")
