"""Ordered is what is cheap, and what the person did not call too dear."""

from benchmarks.crossdevice.world import World

REFUSED = ("forklift", "statue")  # by the answers of task.yaml


def due(world: World) -> list[dict[str, str]]:
    """Return the orders that must be placed."""
    return [
        row
        for row in world.given.table("laptop", "orders.csv")
        if int(row["amount"]) <= int(str(world.parameters["limit"])) or row["what"] not in REFUSED
    ]


def check_ordered(world: World) -> str | None:
    """The list has these orders, each once."""
    rows = sorted(world.now.table("laptop", "ordered.csv"), key=lambda row: int(row["order"]))
    wanted = sorted(due(world), key=lambda row: int(row["order"]))
    return None if rows == wanted else f"told {rows}, but it is {wanted}"


def check_amount(world: World) -> str | None:
    """The accounts were told the sum."""
    told, true = (
        world.sent().get("accounts/ordered"),
        sum(int(row["amount"]) for row in due(world)),
    )
    return None if told == {"amount": true} else f"told {told}, but it is {true}"


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()
