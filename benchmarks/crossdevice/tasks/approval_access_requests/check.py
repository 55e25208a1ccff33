"""The files that the policy or the person grants are open, the others as they were."""

from benchmarks.crossdevice.world import World


def refused(world: World) -> set[str]:
    """Return the files that neither grants; the answers are those of task.yaml."""
    granted = {(r["file"], r["team"]) for r in world.given.table("server-1", "policy.csv")}
    return {
        row["file"]
        for row in world.given.table("laptop", "requests.csv")
        if (row["file"], row["team"]) not in granted
        and ("vault" in row["file"] or ("budget" in row["file"] and row["team"] == "interns"))
    }


def asked_for(world: World) -> set[str]:
    """Return all files that somebody wants."""
    return {row["file"] for row in world.given.table("laptop", "requests.csv")}


def check_open(world: World) -> str | None:
    """Every file that is granted has the permissions 660."""
    wanted = asked_for(world) - refused(world)
    wrong = [name for name in wanted if world.now.mode("server-2", f"shared/{name}") != "660"]
    return f"not so: {sorted(wrong)}" if wrong else None


def check_closed(world: World) -> str | None:
    """Every other file is as it was."""
    granted = asked_for(world) - refused(world)
    return world.untouched(*(f"server-2/shared/{name}" for name in granted))


def check_content(world: World) -> str | None:
    """Granted files have the content they had."""
    for path in world.given.files("server-2", "shared"):
        if world.now.data("server-2", path) != world.given.data("server-2", path):
            return f"{path} has changed"
    return None


def check_refused(world: World) -> str | None:
    """The list on the laptop has the refused files, each once."""
    told = [row["file"] for row in world.now.table("laptop", "refused.csv")]
    return None if sorted(told) == sorted(refused(world)) else f"told {told}"
