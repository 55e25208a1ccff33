"""Dask: a scheduler process, and workers as processes of threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, LocalCluster

from benchmarks.overhead.peers.port import IN_FLIGHT, WORKERS, Go, Graph, Prepare


def noop(number: int, *_predecessors: int) -> int:
    """Do nothing."""
    return number


@contextmanager
def peer(folder: Path) -> Iterator[Prepare]:
    """See `port`. Each run has keys of its own: Dask would not compute the same ones again."""
    runs = iter(range(1_000_000))
    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=IN_FLIGHT,
            processes=True,
            dashboard_address=None,
            local_directory=str(folder),
        ) as cluster,
        Client(cluster) as client,
    ):

        def prepare(graph: Graph) -> Go:
            run = next(runs)
            keys = [f"r{run}-t{number}" for number in range(graph.tasks)]
            tasks = {
                key: (noop, number, *(keys[each] for each in graph.predecessors(number)))
                for number, key in enumerate(keys)
            }
            return lambda: sum(client.get(tasks, keys))

        yield prepare
