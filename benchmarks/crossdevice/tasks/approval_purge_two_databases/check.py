"""The leads are purged, the customers are all there, and the decisions are told."""

import re

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

PLACES = {"crm": "server-1", "leads": "edge-1"}
ALL = "select * from people order by id"


def old(world: World, name: str) -> int:
    """Count the old people of a database as it was."""
    rows = world.given.query(PLACES[name], f"{name}.db", ALL)
    return sum(row[2] < world.parameters["year"] for row in rows)


def check_crm(world: World) -> str | None:
    """The customers are all there: the answer was no."""
    now = world.now.query("server-1", "crm.db", ALL)
    return None if now == world.given.query("server-1", "crm.db", ALL) else f"{len(now)} are left"


def check_leads(world: World) -> str | None:
    """The old leads are gone and the others are there: the answer was yes."""
    given = world.given.query("edge-1", "leads.db", ALL)
    true = [row for row in given if row[2] >= world.parameters["year"]]
    now = world.now.query("edge-1", "leads.db", ALL)
    return None if now == true else f"{len(now)} are left, {len(true)} should be"


@each("crm", "leads")
def check_decision(world: World, name: str) -> str | None:
    """The report has the number of old people and the answer for a database."""
    rows = world.now.report("laptop", "purge.md")["Decisions"]
    told = [row for row in rows if re.search(rf"\b{name}\b", row["question"])]
    answer = "no" if name == "crm" else "yes"
    right = (
        len(told) == 1
        and re.search(rf"\b{old(world, name)}\b", told[0]["question"])
        and told[0]["answer"].startswith(answer)
    )
    return None if right else f"told {told}, but it is {old(world, name)} and {answer}"


def check_else(world: World) -> str | None:
    """Nothing else was changed, in the databases neither."""
    for name, device in PLACES.items():
        notes = world.now.query(device, f"{name}.db", "select * from notes")
        if notes != [(1, "seen 2011")]:
            return f"the notes of {name} are {notes}"
    return world.untouched("edge-1/leads.db", "server-1/crm.db")
