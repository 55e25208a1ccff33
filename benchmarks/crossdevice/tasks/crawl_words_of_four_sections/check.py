"""The report has the words of each section."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World


@each("blog", "docs", "news", "shop")
def check_section(world: World, section: str) -> str | None:
    """The section has the right pages, words and longest page."""
    (row,) = world.now.report("laptop", "words.md")[section]
    told = {name: int(row[name]) for name in ("pages", "words", "longest")}
    counts = world.known["counts"][section]
    true = {"pages": len(counts), "words": sum(counts), "longest": max(counts)}
    return None if told == true else f"told {told}, but it is {true}"
