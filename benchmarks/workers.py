"""Work in other processes, as many at once as there are cores."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from benchmarks.frame import BenchmarkError, Options
from protocol import telemetry

Job = TypeVar("Job")
Found = TypeVar("Found")


def spread(
    options: Options, work: Callable[[Job], Found], jobs: Sequence[Job], *, apart: bool = False
) -> Iterator[tuple[Job, Found]]:
    """Yield each job with what came of it, in the order of the jobs.

    With `--jobs 1` all is done here, in this process; not if it must be `apart`, as work with a
    loop of its own: loops do not nest.

    Raises:
        BenchmarkError: a worker process died.
    """
    processes = options.settings.get("jobs", 0) or os.cpu_count() or 1
    if processes == 1 and not apart:
        yield from ((job, work(job)) for job in jobs)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield from zip(jobs, pool.map(work, jobs), strict=True)
    except BrokenProcessPool as error:
        raise BenchmarkError("a worker process died; try fewer with --jobs") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Be silent, and end with whoever waits for the work: else what is queued would be done."""
    telemetry.silence()
    threading.Thread(target=_follow, name="follow", daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
