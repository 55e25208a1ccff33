"""The shop has the orders that it must have, and was counted."""

from benchmarks.crossdevice.world import World


def check_orders(world: World) -> str | None:
    """The database has all orders, those of the day as the journal has them."""
    rows = world.now.query(
        "server-1", "shop.db", "select id, item, amount from orders order by id"
    )
    true = world.known["orders"]
    return None if rows == true else f"{len(rows)} orders, {len(set(rows) ^ set(true))} not right"


def check_told(world: World) -> str | None:
    """The site was told how many there are."""
    told, true = world.sent().get("incidents/shop"), {"orders": len(world.known["orders"])}
    return None if told == true else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """The dump and the journal are as they were."""
    return world.untouched("server-1/shop.db")
