"""Work in other processes: the loop of a benchmark is running here, and loops do not nest."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from benchmarks.frame import BenchmarkError, Options
from protocol import telemetry

Job = TypeVar("Job")
Found = TypeVar("Found")


def apart(
    options: Options, work: Callable[[Job], Found], jobs: Sequence[Job]
) -> Iterator[tuple[Job, Found]]:
    """Yield each job with what came of it, as they end.

    Raises:
        BenchmarkError: a worker process died.
    """
    processes = options.settings.get("jobs", 0) or os.cpu_count() or 1
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=telemetry.silence
    )
    try:
        given = {pool.submit(work, job): job for job in jobs}
        for done in as_completed(given):
            yield given[done], done.result()
    except BrokenProcessPool as error:
        raise BenchmarkError("a worker process died; try fewer with --jobs") from error
    finally:
        pool.shutdown(cancel_futures=True)
