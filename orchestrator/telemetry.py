"""The log, which is for people: one line for each event and command, on the standard error.

The journal is the record. Until `configure` is called these lines are not written: an
embedder hears of trouble only, by way of its own structlog configuration if it has one.
"""

import logging
import re
import sys
from dataclasses import fields
from enum import StrEnum
from functools import cache
from typing import Final

import structlog

from orchestrator.core.commands import Command
from orchestrator.core.events import Event


class Level(StrEnum):
    """The least important lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


KEYS: Final = ("run", "task", "attempt", "device", "token")
"""What a line says of its event or command, where that has it: never arguments or outputs."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("muster")
_lines: bool = False  # whether events and commands are logged: asked for each, so kept at hand


def configure(*, json: bool, level: Level = Level.INFO) -> None:
    """Set up the log of this process.

    Args:
        json: One JSON object a line, for machines; else keys and values, for people.
        level: `INFO` and below include the lines for events and commands.
    """
    global _lines  # noqa: PLW0603  # a process has one log
    number = logging.getLevelNamesMapping()[level.upper()]
    _lines = number <= logging.INFO
    people = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *([structlog.processors.dict_tracebacks] if json else []),
            structlog.processors.JSONRenderer() if json else people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # configure may be called again
    )


def log_event(event: Event) -> None:
    """Log that an event came in."""
    if _lines:
        _line(event)


def log_command(command: Command) -> None:
    """Log that a command goes out."""
    if _lines:
        _line(command)


def connection(state: str, *, reason: str = "") -> None:
    """Log that the connection to the broker stands, or is lost."""
    if _lines:
        _log.info(state, **({"reason": reason} if reason else {}))


def malformed(topic: str, reason: str) -> None:
    """Log the first message of a sender that made no sense."""
    if _lines:
        _log.warning("malformed_message", topic=topic, reason=reason)


def _line(message: Event | Command) -> None:
    cls: type = type(message)
    name, keys = _shape(cls)
    _log.info(name, **{key: getattr(message, key) for key in keys})


@cache
def _shape(cls: type) -> tuple[str, tuple[str, ...]]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    has = {field.name for field in fields(cls)}
    return name, tuple(key for key in KEYS if key in has)
