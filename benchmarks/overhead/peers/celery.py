"""Celery: Redis as its queue and for its results, prefork workers.

Its canvas has chains and groups but not every graph, so this drives them in waves: send all that
is ready, and wait for it on the channels where Redis publishes results. For a chain that was
measured to be faster than its `chain`, whose messages carry all that is still to come.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from celery import Celery

from benchmarks.overhead.peers import programs
from benchmarks.overhead.peers.port import IN_FLIGHT, WORKERS, Go, Graph, Prepare

START_LIMIT_S: Final = 60.0

_url = os.environ.get(programs.URL, "redis://127.0.0.1:6379/0")
app = Celery("peers", broker=_url, backend=_url)
app.conf.update(
    task_acks_late=True,  # what a worker dies of is not lost, as with ours
    worker_prefetch_multiplier=IN_FLIGHT,
    broker_connection_retry_on_startup=True,
)


def _noop(number: int) -> int:
    return number


noop = app.task(_noop, name="noop")


@contextmanager
def peer(_folder: Path) -> Iterator[Prepare]:
    """See `port`."""
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR")
    words = ("-A", f"{__name__}:app", "worker", "--concurrency", str(WORKERS), *quiet)
    with programs.module("celery", *words):
        noop.delay(0).get(timeout=START_LIMIT_S)
        yield _prepare


def _prepare(graph: Graph) -> Go:
    waves = graph.waves()

    def go() -> int:
        total = 0
        for wave in waves:
            sent = [noop.delay(number) for number in wave]
            total += sum(each.get() for each in sent)
        return total

    return go
