"""The log of this process, which is for people: lines on the standard error.

Quiet until `configure`, but for errors: the process of an embedder belongs to the embedder, and
so does the structlog configuration that writes them there. Structlog is loaded with the first
line: a quiet process does not pay for it.
"""

import logging
import sys
from enum import StrEnum


class Level(StrEnum):
    """The least important lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_NUMBERS = {level: logging.getLevelNamesMapping()[level.upper()] for level in Level}
_threshold = logging.ERROR


def configure(*, json: bool, level: Level = Level.INFO) -> None:
    """Set up the log of this process.

    Args:
        json: One JSON object a line, for machines; else keys and values, for people.
        level: What is less important is not written.
    """
    import structlog  # noqa: PLC0415 - see the module

    global _threshold  # noqa: PLW0603 - a process has one log
    _threshold = _NUMBERS[level]
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
        wrapper_class=structlog.make_filtering_bound_logger(_threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # configure may be called again
    )


def wanted(level: Level) -> bool:
    """Tell whether lines of this level are written: ask before building an expensive one."""
    return _NUMBERS[level] >= _threshold


def write(level: Level, event: str, **keys: object) -> None:
    """Write a line if its level is wanted; `event` is a constant in snake case."""
    if _NUMBERS[level] >= _threshold:
        import structlog  # noqa: PLC0415 - see the module

        structlog.get_logger("muster").log(_NUMBERS[level], event, **keys)


def silence() -> None:
    """Write nothing at all: where errors are made on purpose, by the thousand."""
    global _threshold  # noqa: PLW0603 - a process has one log
    _threshold = logging.CRITICAL + 1


def quiet() -> None:
    """Write errors only, as before `configure`."""
    global _threshold  # noqa: PLW0603 - a process has one log
    _threshold = logging.ERROR
