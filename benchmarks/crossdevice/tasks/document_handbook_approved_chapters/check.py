"""The handbook holds the approved chapters, whole and in order, and its contents name them."""

from benchmarks.crossdevice.world import World


def check_chapters(world: World) -> str | None:
    """The chapters are there in order, whole."""
    book, at = world.now.text("laptop", "handbook.md"), 0
    for path in approved(world):
        at = book.find(world.given.text("server-1", path).strip(), at)
        if at < 0:
            return f"{path} is missing, or not in its place"
    return None


def check_others(world: World) -> str | None:
    """What was changed after the approval is left out."""
    book = world.now.text("laptop", "handbook.md")
    wrong = "A sentence that nobody has approved." in book
    return "a chapter is not the approved one" if wrong else None


def check_contents(world: World) -> str | None:
    """The contents tell path and title of each, in order."""
    rows = world.now.report("laptop", "handbook.md")["Contents"]
    told = [(row["path"].rsplit("/", 1)[-1], row["title"]) for row in rows]
    true = [(path.rsplit("/", 1)[-1], title) for path, title in approved(world).items()]
    return None if told == true else f"told {told}, but it is {true}"


def check_untouched(world: World) -> str | None:
    """The chapters on the servers are as they were."""
    return world.untouched()


def approved(world: World) -> dict[str, str]:
    """Return the paths of the approved chapters in order, with their titles."""
    titles = world.known["titles"]
    paths = world.given.files("server-1", "handbook")
    hashes = {path: world.given.sha256("server-1", path) for path in paths}
    return {path: titles[each] for path, each in hashes.items() if each in titles}
