"""Nothing blocks the loop: callbacks that take too long are an error."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

LIMIT_S = 0.01


class _Collect(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextlib.contextmanager
def nothing_blocks(limit_s: float = LIMIT_S) -> Iterator[None]:
    """Fail if one callback or step of a task holds the running loop longer than `limit_s`.

    Use it on a loop with the real clock: on the virtual one a callback takes no time.
    """
    loop, logger, slow = asyncio.get_running_loop(), logging.getLogger("asyncio"), _Collect()
    before = loop.get_debug(), loop.slow_callback_duration
    loop.set_debug(True)
    loop.slow_callback_duration = limit_s
    logger.addHandler(slow)
    try:
        yield
    finally:
        logger.removeHandler(slow)
        loop.slow_callback_duration = before[1]
        loop.set_debug(before[0])
    took = [line for line in slow.lines if " took " in line]
    assert not took, "the loop was blocked:\n" + "\n".join(took)
