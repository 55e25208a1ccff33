"""The phone has the alarms, and what the readings are worth."""

from collections import Counter
from statistics import mean

from benchmarks.crossdevice.world import World


def readings(world: World) -> list[dict[str, str]]:
    """Return the readings of both halls."""
    paths = world.given.files("edge-1", "readings")
    return [row for path in paths for row in world.given.table("edge-1", path)]


def hot(world: World) -> dict[str, list[int]]:
    """Return the good values of every sensor that was too hot."""
    values: dict[str, list[int]] = {}
    for row in readings(world):
        if row["quality"] == "ok":
            values.setdefault(row["sensor"], []).append(int(row["value"]))
    limit = world.parameters["limit"]
    return {sensor: each for sensor, each in values.items() if max(each) > limit}


def check_sensors(world: World) -> str | None:
    """The sensors that were too hot are on the phone, and no others."""
    told = sorted(row["sensor"] for row in world.now.table("phone-1", "alarms.csv"))
    return None if told == sorted(hot(world)) else f"told {told}, but it is {sorted(hot(world))}"


def check_values(world: World) -> str | None:
    """Each has the number, the mean and the highest of its good values."""
    for row in world.now.table("phone-1", "alarms.csv"):
        values = hot(world)[row["sensor"]]
        told = int(row["readings"]), round(float(row["mean"]), 3), int(row["max"])
        if told != (len(values), round(mean(values), 3), max(values)):
            return f"told {row}, but it is {values}"
    return None


def check_left_out(world: World) -> str | None:
    """The report counts the readings of each hall that were left out."""
    true = Counter(row["hall"] for row in readings(world) if row["quality"] != "ok")
    rows = world.now.report("phone-1", "quality.md")["Left out"]
    told = {row["hall"]: int(row["readings"]) for row in rows}
    return None if told == true else f"told {told}, but it is {dict(true)}"


def check_untouched(world: World) -> str | None:
    """The readings are as they were."""
    return world.untouched()
