"""An asyncio loop whose time jumps to the next timer when nothing is runnable.

The same idea as trio's MockClock with autojump and aiotools' VirtualClock. What happens outside
the loop is waited for in real time: jobs of a thread pool while the clock stands still, sockets,
pipes and child processes while it runs on with the real one. Without them a test never waits.
"""

import asyncio
import functools
import selectors
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

LEAVING_S = 0.02  # a job that ended before we asked: its thread may be yet to tell the others
SLICE_S = 0.1  # of real time: by then a child that another loop has left may be gone


class DeadlockError(AssertionError):
    """Every task waits and no timer is pending: nothing can ever happen again."""


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.jobs: set[Future[Any]] = set()
        self.leaving = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.jobs:
            return super().select(None)
        if self.leaving:
            self.leaving = False
            if ready := super().select(LEAVING_S):
                return ready
        if len(self.get_map()) > 1 or _children():  # more than the loop's own wake-up pipe
            return self._select_in_real_time(timeout)
        if timeout is None:
            raise DeadlockError(f"nothing can run after t={self.now:.3f}s")
        self.now += timeout
        return ready

    def _select_in_real_time(
        self, timeout: float | None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.perf_counter()
        ready = super().select(SLICE_S if timeout is None else min(timeout, SLICE_S))
        self.now += time.perf_counter() - began
        return ready


def _children() -> bool:
    # Where the system has no pidfd, asyncio waits for each child process in a thread.
    return any("waitpid-" in thread.name for thread in threading.enumerate())


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """A loop that starts at t=0 s and does not sleep in real time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now

    def run_forever(self) -> None:
        """Run, and see every job that is given to a thread pool meanwhile."""
        pool: Any = ThreadPoolExecutor  # its method is replaced
        submit = pool.submit

        @functools.wraps(submit)
        def counted(*args: object, **kwargs: object) -> Future[Any]:
            job: Future[Any] = submit(*args, **kwargs)
            self._jumping.jobs.add(job)
            # After the callback of whoever asked, who adds his before the loop goes on: once ours
            # is called, nothing of the job is under way any more.
            self.call_soon_threadsafe(job.add_done_callback, self._tell_done)
            return job

        pool.submit = counted
        try:
            super().run_forever()
        finally:
            pool.submit = submit

    async def shutdown_default_executor(self, *args: float | None) -> None:
        """Wait for the threads; see `asyncio.loop.shutdown_default_executor`."""
        job: Future[Any] = Future()  # asyncio does this in a thread of its own
        self._jumping.jobs.add(job)
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._jumping.jobs.discard(job)

    def _tell_done(self, job: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.call_soon_threadsafe(self._done, job)

    def _done(self, job: Future[Any]) -> None:
        self._jumping.jobs.discard(job)
        self._jumping.leaving = True
