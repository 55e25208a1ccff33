"""The reference is complete; the test is postponed, and only that."""

import hashlib

from benchmarks.crossdevice.world import World


def check_reference(world: World) -> str | None:
    """The table has the value of every component."""
    names = [row["name"] for row in world.given.table("laptop", "components.csv")]
    true = {each: hashlib.sha256(each.encode()).hexdigest() for each in names}
    rows = world.now.table("laptop", "reference.csv")
    told = {row["name"]: row["value"] for row in rows}
    return None if told == true and len(rows) == len(true) else f"told {told}"


def check_postponed(world: World) -> str | None:
    """The laptop says that the test of the phone is postponed."""
    text = world.now.text("laptop", "postponed.md")
    return None if "postponed" in text.lower() else f"it says {text!r}"


def check_not_tested(world: World) -> str | None:
    """There are no results of a test."""
    return "there are" if world.now.exists("laptop", "selftest.csv") else None


def check_ticket(world: World) -> str | None:
    """There is a ticket, which names the phone."""
    puts = [each for each in world.requests if each.method == "PUT"]
    right = [
        each for each in puts if each.path == "tickets/selftest" and "phone-1" in str(each.body)
    ]
    return None if puts and puts == right else f"{puts}"


def check_untouched(world: World) -> str | None:
    """The last result is as it was."""
    return world.untouched()
