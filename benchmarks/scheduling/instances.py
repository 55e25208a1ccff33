"""Task graphs from JSON: the compact form (`data/README.md`) and WfFormat (WfCommons).

WfFormat is read in versions 1.3 to 1.6, as far as placement needs it: tasks with run times,
parents, and the sizes of the files that one task writes and another reads.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from statistics import median
from typing import Any, Final, TypeVar

from benchmarks.scheduling.model import Edge, Fleet, Instance, Problem, Task

Read = TypeVar("Read")
Made = TypeVar("Made")

COLLECTIONS: Final = ("dagbench-apache2", "estee-mit")
_BYTES_A_SECOND: Final = 100.0 * 2**20  # as `fleets.BANDWIDTH`: the sizes are in bytes


class InstanceError(Exception):
    """A file does not hold a task graph; the text says which, where, and what is wrong."""


def public() -> Iterator[Instance]:
    """Yield every public instance that comes with the package, in a fixed order."""
    folder = files("benchmarks.scheduling") / "data"
    for collection in COLLECTIONS:
        lines = gzip.decompress((folder / f"{collection}.jsonl.gz").read_bytes()).splitlines()
        yield from (compact(json.loads(line), collection) for line in lines)


def compact(document: Mapping[str, Any], source: str) -> Instance:
    """Read the compact form. A task's skill is its category.

    Raises:
        InstanceError: a key is missing, or of another kind.
    """
    try:
        skills, names = document["cats"], document["names"] or ()
        tasks = each(
            f"{source}: tasks",
            document["tasks"],
            lambda n, row: Task(float(row[0]), skills[row[1]], names[n] if names else str(n)),
        )
        edges = each(
            f"{source}: edges",
            document["edges"],
            lambda _, row: Edge(int(row[0]), int(row[1]), float(row[2])),
        )
        links = [float(link[2]) for link in (document.get("network") or {}).get("edges", ())]
        found = Instance(
            document["id"], tasks, edges, document["family"], median(links) if links else None
        )
    except (LookupError, TypeError, ValueError) as error:
        raise InstanceError(f"{source}: is not in the compact form: {_said(error)}") from error
    return sound(found, source)


def wfformat(document: Mapping[str, Any], source: str) -> Instance:
    """Read WfFormat; sizes are in bytes, times in seconds. A task's skill is its program's name.

    Raises:
        InstanceError: a key is missing, or of another kind.
    """
    try:
        rows, file_sizes = _wf_rows(document["workflow"])
        place = {row["id"]: number for number, row in enumerate(rows)}
        tasks = each(
            f"{source}: tasks",
            rows,
            lambda _, row: Task(float(row["seconds"]), _program(row["name"]), row["id"]),
        )
        edges = each(
            f"{source}: parents of tasks",
            rows,
            lambda number, row: [
                Edge(place[parent], number, _shared(rows[place[parent]], row, file_sizes))
                for parent in row["parents"]
            ],
        )
        name = str(document["name"])
        every = tuple(edge for some in edges for edge in some)
        found = Instance(name, tasks, every, "wfformat", _BYTES_A_SECOND)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InstanceError(f"{source}: is not WfFormat as known here: {_said(error)}") from error
    return sound(found, source)


def _wf_rows(workflow: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Return the tasks in one form whatever the version, and the sizes of all files."""
    if "specification" in workflow:  # from 1.5 on what was planned and what happened are apart
        plan = workflow["specification"]
        seconds = {t["id"]: t["runtimeInSeconds"] for t in workflow["execution"]["tasks"]}
        sizes = {f["id"]: float(f["sizeInBytes"]) for f in plan.get("files", ())}
        rows = [
            {
                "id": task["id"],
                "name": task["name"],
                "seconds": seconds[task["id"]],
                "parents": task["parents"],
                "reads": task.get("inputFiles", ()),
                "writes": task.get("outputFiles", ()),
            }
            for task in plan["tasks"]
        ]
        return rows, sizes
    sizes, rows = {}, []
    tasks = workflow["tasks"] if "tasks" in workflow else workflow["jobs"]
    ids = {task["name"]: task.get("id", task["name"]) for task in tasks}
    for task in tasks:
        parts = task.get("files", ())
        sizes |= {f["name"]: float(f.get("sizeInBytes", f.get("size", 0))) for f in parts}
        rows.append(
            {
                "id": ids[task["name"]],
                "name": task.get("category", task["name"]),
                "seconds": task["runtimeInSeconds"]
                if "runtimeInSeconds" in task
                else task["runtime"],
                "parents": [ids.get(parent, parent) for parent in task["parents"]],
                "reads": [f["name"] for f in parts if f["link"] == "input"],
                "writes": [f["name"] for f in parts if f["link"] == "output"],
            }
        )
    return rows, sizes


def _program(name: str) -> str:
    """Return a task's name without the number that tells it from others of its program."""
    return name.rstrip("0123456789").rstrip("_-") or name


def _shared(
    writer: Mapping[str, Any], reader: Mapping[str, Any], sizes: Mapping[str, float]
) -> float:
    read = set(reader["reads"])
    return sum(sizes[name] for name in dict.fromkeys(writer["writes"]) if name in read)


def each(where: str, rows: Iterable[Read], read: Callable[[int, Read], Made]) -> tuple[Made, ...]:
    """Read rows, and name the one that cannot be read; they count from 0.

    Raises:
        InstanceError: a row is not what it should be.
    """
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(read(number, row))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InstanceError(f"{where}[{number}]: {_said(error)}") from error
    return tuple(found)


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def sound(found: Instance, source: str) -> Instance:
    """Return an instance that schedulers can take.

    Raises:
        InstanceError: it is none.
    """
    count: int = len(found.tasks)
    reasons: Sequence[tuple[bool, str]] = (
        (count == 0, "it has no task"),
        (any(task.work < 0.0 for task in found.tasks), "a run time is negative"),
        (any(edge.size < 0.0 for edge in found.edges), "a size is negative"),
        (
            any(not 0 <= end < count for e in found.edges for end in (e.source, e.target)),
            "an edge names a task that is not there",
        ),
    )
    for wrong, reason in reasons:
        if wrong:
            raise InstanceError(f"{source}: {reason}")
    try:
        _ = Problem(found, Fleet((), ()), ()).order
    except ValueError as error:
        raise InstanceError(f"{source}: {error}") from error
    return found
