"""The log of a device, for people: what happens to its connection, and why a skill failed.

Quiet until `configure`: the process of an embedder belongs to the embedder. Trouble with the
ledger is said in any case.
"""

import logging
import sys
from typing import Final

import structlog

log: Final[structlog.typing.FilteringBoundLogger] = structlog.get_logger("muster")
_level = logging.ERROR


def configure(*, json: bool, debug: bool = False) -> None:
    """Set up the log of this process, on the standard error.

    Args:
        json: one JSON object a line, for machines; else keys and values.
        debug: also write why skills failed, with their tracebacks.
    """
    global _level  # noqa: PLW0603  a process has one log
    _level = logging.DEBUG if debug else logging.INFO
    people = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *([structlog.processors.dict_tracebacks] if json else []),
            structlog.processors.JSONRenderer() if json else people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def info(event: str, **keys: object) -> None:
    """Log what people want to know of a device that works."""
    if _level <= logging.INFO:
        log.info(event, **keys)


def debug(event: str, **keys: object) -> None:
    """Log what helps to find a fault."""
    if _level <= logging.DEBUG:
        log.debug(event, **keys)
