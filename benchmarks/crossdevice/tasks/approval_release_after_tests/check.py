"""Released if every part is good, else blocked with those that are not."""

import ast
import re
from typing import Any

from benchmarks.crossdevice.world import World


def broken(world: World) -> list[str]:
    """Return the parts that fail."""
    found = re.findall(r"broken = (.*)", world.given.text("server-1", "suite.py"))
    return sorted(ast.literal_eval(found[0]))


def texts(value: Any) -> list[str]:  # noqa: ANN401  however the list was written
    """Return all texts in a value, at whatever depth."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [text for each in inner for text in texts(each)]


def check_live(world: World) -> str | None:
    """The build is live if every part is good, and only then."""
    due = None if broken(world) else {"build": world.parameters["build"]}
    told = world.sent().get("releases/live")
    return None if told == due else f"told {told}, but due is {due}"


def check_blocked(world: World) -> str | None:
    """The failing parts were told if there are any, and only then."""
    told = world.sent().get("releases/blocked")
    if not broken(world):
        return None if told is None else f"told {told}, but every part is good"
    parts = sorted(texts(told["failed"])) if isinstance(told, dict) else []
    return None if parts == broken(world) else f"told {told}, but it is {broken(world)}"


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()
