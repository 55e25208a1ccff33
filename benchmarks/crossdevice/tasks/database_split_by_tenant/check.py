"""Each tenant has its users and its invoices, and the report adds up."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

TENANTS = "acme", "birch", "cedar"


@each(*TENANTS)
def check_users(world: World, tenant: str) -> str | None:
    """The tenant's database has its users, and no others."""
    told = world.now.query(
        "laptop", f"split/{tenant}.db", "select id, name from users order by id"
    )
    return None if told == users(world, tenant) else f"it has {len(told)} users, or others"


@each(*TENANTS)
def check_invoices(world: World, tenant: str) -> str | None:
    """The tenant's database has the invoices that move, and no others."""
    sql = "select id, user, amount, paid from invoices order by id"
    told = world.now.query("laptop", f"split/{tenant}.db", sql)
    return None if told == invoices(world, tenant) else f"it has {len(told)} invoices, or others"


def check_report(world: World) -> str | None:
    """The report has a row for each tenant, with the right counts and sum."""
    rows = world.now.report("laptop", "split.md")["Tenants"]
    told = {r["tenant"]: tuple(int(r[c]) for c in ("users", "invoices", "amount")) for r in rows}
    true = {
        tenant: (len(users(world, tenant)), len(moved), sum(row[2] for row in moved))
        for tenant in TENANTS
        if (moved := invoices(world, tenant))
    }
    return None if told == true else f"told {told}, but it is {true}"


def check_untouched(world: World) -> str | None:
    """The database on the servers is as it was."""
    return world.untouched()


def users(world: World, tenant: str) -> list[tuple[int, str]]:
    """Return the users of a tenant."""
    rows = world.given.query("server-1", "hosting.db", "select * from users order by id")
    return [(number, name) for number, name, owner in rows if owner == tenant]


def invoices(world: World, tenant: str) -> list[tuple[int, ...]]:
    """Return the invoices of a tenant that move."""
    theirs = {number for number, _ in users(world, tenant)}
    rows = world.given.query("server-1", "hosting.db", "select * from invoices order by id")
    first = int(str(world.parameters["year"]))
    return [row for row in rows if row[1] in theirs and (row[3] is None or row[3] >= first)]
