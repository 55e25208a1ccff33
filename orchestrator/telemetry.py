"""A line for each event and command of the engine, for people: the journal is the record."""

import re
from dataclasses import fields
from functools import cache
from typing import Final

from orchestrator.core.commands import Command
from orchestrator.core.events import Event
from protocol.telemetry import Level, wanted, write

KEYS: Final = ("run", "task", "attempt", "device", "token")
"""What a line says of its event or command, where that has it: never arguments or outputs."""


def log(message: Event | Command) -> None:
    """Log that an event came in, or a command goes out."""
    if wanted(Level.INFO):
        cls: type = type(message)
        name, keys = _shape(cls)
        write(Level.INFO, name, **{key: getattr(message, key) for key in keys})


@cache
def _shape(cls: type) -> tuple[str, tuple[str, ...]]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    has = {field.name for field in fields(cls)}
    return name, tuple(key for key in KEYS if key in has)
