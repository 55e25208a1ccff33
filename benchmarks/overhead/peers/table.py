"""Which systems there are, what each needs to be measured, and what its figures include."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from benchmarks.overhead.peers.programs import REDIS
from protocol.types import Json

_HERE: Final = __name__.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Promises:
    """What a system does for a task in the time that is measured, in words."""

    workers: str
    journal: str
    results: str
    retries: str
    order: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A system, or one of its settings."""

    peer: str
    """`module:function` of its `Peer`."""
    packages: tuple[str, ...]
    """Distributions; the first gives the version."""
    promises: Promises
    redis: bool = False

    def missing(self) -> tuple[str, ...]:
        """Return what is not installed here."""
        packages = tuple(each for each in self.packages if not _installed(each))
        return packages + ((REDIS,) if self.redis and shutil.which(REDIS) is None else ())

    def row(self) -> dict[str, Json]:
        """Return the version and the promises. Only where nothing is missing."""
        return {"version": version(self.packages[0]), **asdict(self.promises)}


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


OURS: Final = Promises(
    workers="4 processes of 16 slots over mosquitto, QoS 1",
    journal="SQLite, NORMAL: every decision before its consequence; a ledger on each device",
    results="in the journal",
    retries="decided by the coordinator; a finished task is not repeated",
    order="task graph in the coordinator, editable while it runs",
)
_WAVES: Final = "no graphs as general as these: driven in waves by the caller"
_REDIS: Final = "Redis, appendonly, synchronized each second: the queue and the results"
_LANGGRAPH: Final = Promises(
    workers="none: nodes are threads of the calling process, nothing crosses a process",
    journal="none",
    results="a sum in the state",
    retries="a policy for each node; none set",
    order="graph fixed when it is compiled, which is not timed; supersteps",
)

TABLE: Final[Mapping[str, Entry]] = {
    "dask": Entry(
        f"{_HERE}.dask:peer",
        ("distributed", "dask"),
        Promises(
            workers="4 processes of 16 threads over TCP",
            journal="none: what the scheduler knows is lost with it",
            results="in the memory of the workers, gathered at the end",
            retries="where a worker is lost; finished tasks may be computed again",
            order="task graph in the scheduler",
        ),
    ),
    "ray": Entry(
        f"{_HERE}.ray:peer",
        ("ray",),
        Promises(
            workers="4 processes, one task each at a time, over gRPC",
            journal="none: tasks and small results are lost with the caller",
            results="in the memory of the caller, gathered at the end",
            retries="where a worker is lost",
            order="references as arguments, resolved by the caller's own library",
        ),
    ),
    "taskiq": Entry(
        f"{_HERE}.taskiq:peer",
        ("taskiq", "taskiq-redis"),
        Promises(
            workers="4 processes of 16 coroutines, Redis streams with acknowledgements",
            journal=_REDIS,
            results="in Redis, asked for each millisecond",
            retries="what is not acknowledged is delivered again; it may run twice",
            order=_WAVES,
        ),
        redis=True,
    ),
    "celery": Entry(
        f"{_HERE}.celery:peer",
        ("celery", "redis"),
        Promises(
            workers="4 prefork processes, 16 tasks prefetched for each, late acknowledgement",
            journal=_REDIS,
            results="in Redis, published to the caller",
            retries="what is not acknowledged is delivered again; it may run twice",
            order=_WAVES,
        ),
        redis=True,
    ),
    "langgraph": Entry(f"{_HERE}.langgraph:peer", ("langgraph",), _LANGGRAPH),
    "langgraph_sqlite": Entry(
        f"{_HERE}.langgraph:durable",
        ("langgraph", "langgraph-checkpoint-sqlite"),
        Promises(
            **{
                **asdict(_LANGGRAPH),
                "journal": "SQLite in its default setting: writes and a checkpoint each superstep",
            }
        ),
    ),
}
"""By the name that figures and `--peers` use."""
