"""What does not agree is in the table where it belongs."""

from benchmarks.crossdevice.world import World


def ledger(world: World) -> dict[str, int]:
    """Return the entries."""
    return dict(
        world.given.query("server-1", "ledger.db", "select reference, amount from entries")
    )


def compare(world: World, name: str, true: dict[str, int]) -> str | None:
    """Hold a table to what must be in it, in any order."""
    rows = world.now.table("laptop", name)
    told = {row["reference"]: int(row["amount"]) for row in rows}
    return None if told == true and len(rows) == len(true) else f"told {told}, but it is {true}"


def check_only_ledger(world: World) -> str | None:
    """What only the ledger has is in its table."""
    bank = world.known["bank"]
    true = {key: each for key, each in ledger(world).items() if key not in bank}
    return compare(world, "only_ledger.csv", true)


def check_only_bank(world: World) -> str | None:
    """What only the bank has is in its table."""
    known = ledger(world)
    true = {key: each for key, each in world.known["bank"].items() if key not in known}
    return compare(world, "only_bank.csv", true)


def check_differs(world: World) -> str | None:
    """Entries whose amounts differ are in the third, with both amounts."""
    bank = world.known["bank"]
    true = {key: each for key, each in ledger(world).items() if bank.get(key, each) != each}
    wrong = [
        row
        for row in world.now.table("laptop", "differs.csv")
        if int(row["right.amount"]) != bank[row["reference"]]
    ]
    return compare(world, "differs.csv", true) or (f"{wrong}" if wrong else None)


def check_totals(world: World) -> str | None:
    """The report has what both sum up to."""
    (row,) = world.now.report("laptop", "totals.md")["Totals"]
    true = sum(ledger(world).values()), sum(world.known["bank"].values())
    return None if (int(row["ledger"]), int(row["bank"])) == true else f"told {row}, it is {true}"


def check_untouched(world: World) -> str | None:
    """The ledger is as it was."""
    return world.untouched()
