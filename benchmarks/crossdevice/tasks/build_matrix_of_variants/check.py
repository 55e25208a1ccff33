"""Every artifact is in the list where it belongs."""

import hashlib

from benchmarks.crossdevice.world import World


def artifacts(world: World, *, broken: bool) -> list[str]:
    """Return the artifacts whose tests fail, or those whose do not."""
    source = world.given.text("laptop", "src/app.src")
    names = [
        f"{row['variant']}-{row['platform']}" for row in world.given.table("laptop", "matrix.csv")
    ]
    return sorted(
        f"{name}:{hashlib.sha256((source + name).encode()).hexdigest()[:16]}"
        for name in names
        if (f"broken on {name}\n" in source) == broken
    )


def compare(world: World, name: str, true: list[str]) -> str | None:
    """Hold a list to what must be in it, in any order."""
    told = sorted(row["output"] for row in world.now.table("laptop", name))
    return None if told == true else f"told {told}, but it is {true}"


def check_passed(world: World) -> str | None:
    """The artifacts that are good are in the one list."""
    return compare(world, "passed.csv", artifacts(world, broken=False))


def check_failed(world: World) -> str | None:
    """The others are in the other one."""
    return compare(world, "failed.csv", artifacts(world, broken=True))


def check_exit_codes(world: World) -> str | None:
    """Each has the exit code of its test."""
    rows = [("0", row) for row in world.now.table("laptop", "passed.csv")]
    rows += [("3", row) for row in world.now.table("laptop", "failed.csv")]
    wrong = [row for code, row in rows if row["exit_code"] != code]
    return f"{wrong}" if wrong else None


def check_untouched(world: World) -> str | None:
    """The sources and the matrix are as they were."""
    return world.untouched()
