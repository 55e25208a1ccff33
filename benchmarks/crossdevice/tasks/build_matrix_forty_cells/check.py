"""The report names the cells that fail, and only these."""

import re

from benchmarks.crossdevice.world import World


def check_failures(world: World) -> str | None:
    """Every cell that fails is in the report, and no other."""
    told, true = set(in_report(world)), set(failing(world))
    return None if told == true else f"missing {true - told}, wrong {told - true}"


def check_once(world: World) -> str | None:
    """No cell is in the report twice."""
    told = in_report(world)
    return None if len(told) == len(set(told)) else f"told {told}"


def check_program(world: World) -> str | None:
    """The program is as it was on both servers."""
    for server in ("server-1", "server-2"):
        if world.now.text(server, "run_tests.py") != world.given.text(server, "run_tests.py"):
            return f"it has changed on {server}"
    return None


def in_report(world: World) -> list[str]:
    """Return the cells of the report as `3.8, 200`."""
    return [row["args"] for row in world.now.report("laptop", "failures.md").get("Cells", ())]


def failing(world: World) -> list[str]:
    """Work out which cells fail, from what the program says."""
    program = world.given.text("server-1", "run_tests.py")
    prime, bad, limit = (
        re.findall(pattern, program)[0]
        for pattern in (r"% (\d+)", r'version == "(.*?)"', r"size > (\d+)")
    )
    cells = [each["args"] for each in world.given.json("laptop", "matrix.json")]
    return [
        f"{version}, {size}"
        for version, size in cells
        if version == bad
        or (
            int(size) > int(limit)
            and len({n * n % int(prime) for n in range(int(size))}) < int(size)
        )
    ]
