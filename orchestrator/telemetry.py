"""A line for each event and command of the engine, for people: the journal is the record."""

import re
from dataclasses import fields
from functools import cache
from typing import Final

from orchestrator.core import commands as c
from orchestrator.core import events as e
from protocol.telemetry import Level, wanted, write

KEYS: Final = ("run", "task", "attempt", "device", "token")
"""What a line says of its event or command, where that has it: never arguments or outputs."""


ROUTINE: Final[frozenset[type]] = frozenset(
    {e.Beat, e.PlanImproved, e.TimePassed}
    | {c.RenewLeases, c.Acknowledge, c.Prefetch, c.ImprovePlan}
)
"""What comes every few seconds and tells people nothing: below the others."""


def log(message: e.Event | c.Command) -> None:
    """Log that an event came in, or a command goes out."""
    cls: type = type(message)
    level = Level.DEBUG if cls in ROUTINE else Level.INFO
    if wanted(level):
        name, keys = _shape(cls)
        write(level, name, **{key: getattr(message, key) for key in keys})


@cache
def _shape(cls: type) -> tuple[str, tuple[str, ...]]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    has = {field.name for field in fields(cls)}
    return name, tuple(key for key in KEYS if key in has)
