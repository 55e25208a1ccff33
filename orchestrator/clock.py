"""The shell's clocks: wall time for people, elapsed time for deadlines."""

import asyncio
import time

from orchestrator.core.model import Now


def loop_clock() -> Now:
    """Read the loop's clock, which tests replace; wall time follows the system."""
    return Now(time.time(), asyncio.get_running_loop().time())  # noqa: TID251 - this is the one clock


def suspended_too() -> Now:
    """Read a clock that goes on while the machine sleeps, where the system has one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None:
        return loop_clock()
    return Now(time.time(), time.clock_gettime(boot))  # noqa: TID251 - this is the one clock
