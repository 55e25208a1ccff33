"""The forecast is right, and there are tickets for who needs one."""

from benchmarks.crossdevice.world import World

SAMPLES = "select host, day, used_gb, size_gb from samples"


def days_left(world: World) -> dict[str, int]:
    """Return in how many whole days each disk is full."""
    rows = world.given.query("server-1", "metrics.db", SAMPLES)
    used = {(host, day): gb for host, day, gb, _ in rows}
    size = {host: gb for host, _, _, gb in rows}
    return {
        host: (gb - used[host, 29]) * 7 // (used[host, 29] - used[host, 22])
        for host, gb in size.items()
    }


def check_forecast(world: World) -> str | None:
    """The table has the days of every host."""
    rows = world.now.table("laptop", "forecast.csv")
    told = {row["host"]: int(row["days_left"]) for row in rows}
    true = days_left(world)
    return None if told == true and len(rows) == len(true) else f"told {told}, but it is {true}"


def check_tickets(world: World) -> str | None:
    """Every host that is full soon has a ticket, and no other."""
    opened = {each.path for each in world.requests if each.method == "PUT"}
    soon = {host for host, left in days_left(world).items() if left < world.parameters["days"]}
    true = {f"tickets/{host}" for host in soon}
    return None if opened == true else f"opened {sorted(opened)}, but it is {sorted(true)}"


def check_reasons(world: World) -> str | None:
    """The tickets say what it is about."""
    tickets = [each for each in world.requests if each.method == "PUT"]
    silent = [each.path for each in tickets if "disk" not in str(each.body)]
    return f"{silent} do not" if silent or not tickets else None


def check_untouched(world: World) -> str | None:
    """The measurements are as they were."""
    return world.untouched()
