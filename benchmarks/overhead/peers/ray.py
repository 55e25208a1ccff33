"""Ray: tasks on worker processes of one node; the caller owns the references."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from benchmarks.overhead.peers.port import WORKERS, Go, Graph, Prepare


def noop(number: int, *_predecessors: int) -> int:
    """Do nothing."""
    return number


@contextmanager
def peer(_folder: Path) -> Iterator[Prepare]:
    """See `port`. One CPU a task, so one worker process for each; its own default paths."""
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    remote = ray.remote(noop)

    def prepare(graph: Graph) -> Go:
        predecessors = [graph.predecessors(number) for number in range(graph.tasks)]

        def go() -> int:
            results: list[Any] = []
            for number, before in enumerate(predecessors):
                results.append(remote.remote(number, *(results[each] for each in before)))
            return sum(ray.get(results))

        return go

    try:
        yield prepare
    finally:
        ray.shutdown()
