"""The report has the addresses that are broken within two clicks."""

from urllib.parse import urljoin

from benchmarks.crossdevice.world import World


def check_broken(world: World) -> str | None:
    """Every address that is broken is there, once, and no other."""
    rows = world.now.report("laptop", "broken.md")["Broken"]
    told, true = sorted(row["url"] for row in rows), sorted(broken(world))
    return None if told == true else f"told {told}, but it is {true}"


def check_status(world: World) -> str | None:
    """Each has the status that it was answered with."""
    rows, true = world.now.report("laptop", "broken.md")["Broken"], broken(world)
    wrong = [row["url"] for row in rows if int(row["status"]) != true.get(row["url"])]
    return f"another status: {wrong}" if wrong else None


def check_depth(world: World) -> str | None:
    """Nobody went further than two clicks."""
    further = [each.path for each in world.requests if each.path.startswith("c/")]
    return f"these were asked for: {further[:3]}" if further else None


def broken(world: World) -> dict[str, int]:
    """Return what is broken, with its status."""
    root, links = world.known["url"], world.known["links"]
    level: set[str] = {f"{root}/index.html"}
    seen: set[str] = set()
    for _ in range(2):
        targets = {
            urljoin(page, each) for page in level for each in links.get(page[len(root) + 1 :], ())
        }
        level = targets - seen
        seen |= targets
    gone = {f"{root}/{path}": 410 for path in world.known["gone"]}
    return {url: gone.get(url, 404) for url in seen if url in gone or "/nobody/" in url}
