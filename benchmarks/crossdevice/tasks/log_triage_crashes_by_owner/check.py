"""Every module that crashed is in one of the two lists."""

import json

from benchmarks.crossdevice.world import World


def crashes(world: World) -> dict[str, list[str]]:
    """Return the versions of a module that crashed, once for each report."""
    found: dict[str, list[str]] = {}
    for device in ("phone-1", "gpu-1"):
        for line in world.given.text(device, "crashes.jsonl").splitlines():
            report = json.loads(line)
            found.setdefault(report["module"], []).append(report["version"])
    return found


def compare(world: World, name: str, *, owned: bool) -> str | None:
    """Hold a list to what is true, whatever its order."""
    true = {
        (module, str(len(versions)), max(versions))
        for module, versions in crashes(world).items()
        if (module in world.known["owners"]) == owned
    }
    rows = world.now.table("laptop", name)
    told = {(row["module"], row["crashes"], row["last"]) for row in rows}
    return None if told == true and len(rows) == len(told) else f"told {told}, but it is {true}"


def check_worklist(world: World) -> str | None:
    """The worklist has the modules with an owner, how often and which version last."""
    return compare(world, "worklist.csv", owned=True)


def check_owners(world: World) -> str | None:
    """Each module in the worklist has its owner."""
    rows = world.now.table("laptop", "worklist.csv")
    wrong = [row for row in rows if world.known["owners"].get(row["module"]) != row["owner"]]
    return f"{wrong}" if wrong else None


def check_orphans(world: World) -> str | None:
    """The other list has the modules that nobody owns."""
    return compare(world, "orphans.csv", owned=False)


def check_told(world: World) -> str | None:
    """Every owner in the worklist was told, and nobody else."""
    told = {each.path for each in world.requests if each.method == "PUT"}
    owners = world.known["owners"]
    true = {f"told/{owners[module]}" for module in crashes(world) if module in owners}
    return None if told == true else f"told {sorted(told)}, but it is {sorted(true)}"


def check_untouched(world: World) -> str | None:
    """The reports are where they were."""
    return world.untouched()
