"""The files have the cheapest offers."""

from collections import Counter

from benchmarks.crossdevice.world import World


def check_offers(world: World) -> str | None:
    """The file has the cheapest offer of each article, of every shop that has it at that price."""
    rows = world.now.table("laptop", "best.csv")
    told = sorted((row["article"], int(row["price"]), row["shop"]) for row in rows)
    true = best(world)
    return None if told == true else f"{len(told)} offers, not {len(true)}, or others"


def check_shops(world: World) -> str | None:
    """The report says how often each shop is the cheapest."""
    rows = world.now.report("laptop", "best.md")["Shops"]
    told = {row["shop"]: int(row["articles"]) for row in rows}
    true = Counter(shop for _, _, shop in best(world))
    return None if told == true else f"told {told}, but it is {dict(true)}"


def best(world: World) -> list[tuple[str, int, str]]:
    """Return the cheapest offers."""
    there = [each for each in world.known["offers"] if each["stock"]]
    least: dict[str, int] = {}
    for each in there:
        least[each["article"]] = min(each["price"], least.get(each["article"], each["price"]))
    return sorted(
        (each["article"], each["price"], each["shop"])
        for each in there
        if each["price"] == least[each["article"]]
    )
