"""The contract is that of the customer, with the right annex, and it is registered."""

from benchmarks.crossdevice.world import World


def check_parties(world: World) -> str | None:
    """The contract names the customer, the city and the region."""
    it = world.known["customer"]
    line = f"between us and {it['name']} of {it['city']} ({it['region']})"
    return (
        None if line in world.now.text("laptop", "contract.txt") else f"it does not say {line!r}"
    )


def check_total(world: World) -> str | None:
    """The price is the sum of the customer's orders."""
    rows = world.given.table("server-1", "orders.csv")
    total = sum(int(row["price"]) for row in rows if row["customer"] == "C-17")
    line = f"The yearly price is {total} Euro; an advance of 100 $ is not asked for."
    return (
        None if line in world.now.text("laptop", "contract.txt") else f"it does not say {line!r}"
    )


def check_annex(world: World) -> str | None:
    """The annex is that of the region, and the only one."""
    region = "eu" if world.known["customer"]["region"] == "eu" else "world"
    text = world.now.text("laptop", "contract.txt")
    fine = text.count("ANNEX") == 1 and world.known[f"annex of {region}"].strip() in text
    return None if fine else f"it is not the annex for {region}"


def check_page(world: World) -> str | None:
    """The page says the same, line by line."""
    lines = [each for each in world.now.text("laptop", "contract.txt").splitlines() if each]
    page = world.now.text("laptop", "contract.html").replace("&amp;", "&").splitlines()
    return None if page == [f"<p>{each}</p>" for each in lines] else "the page says something else"


def check_register(world: World) -> str | None:
    """A server has the hash of the contract in its register."""
    true = world.now.sha256("laptop", "contract.txt")
    there = [s for s in ("server-1", "server-2") if world.now.exists(s, "register.json")]
    told = [world.now.json(server, "register.json") for server in there]
    return None if any(true in str(each) for each in told) else f"told {told}, not {true}"


def check_untouched(world: World) -> str | None:
    """The template and the orders are as they were."""
    return world.untouched()
