"""Task graphs from files: the compact form (`data/README.md`) and WfFormat (WfCommons JSON).

WfFormat is read in versions 1.3 to 1.6, as far as placement needs it: tasks with run times,
parents, and the sizes of the files that one task writes and another reads.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.scheduling.model import Edge, Instance, Task

COLLECTIONS: Final = ("dagbench-apache2", "estee-mit")


class InstanceError(Exception):
    """A file does not hold a task graph; the text says which, and what is wrong."""


def public() -> Iterator[Instance]:
    """Yield every public instance that comes with the package, in a fixed order."""
    folder = files("benchmarks.scheduling") / "data"
    for collection in COLLECTIONS:
        lines = gzip.decompress((folder / f"{collection}.jsonl.gz").read_bytes()).splitlines()
        yield from (compact(json.loads(line), collection) for line in lines)


def load(path: Path) -> Instance:
    """Read one instance from a file of either form.

    Raises:
        InstanceError: it holds neither.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InstanceError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise InstanceError(f"{path}: holds no JSON object")
    read = wfformat if "workflow" in document else compact
    return read(document, str(path))


def compact(document: Mapping[str, Any], source: str) -> Instance:
    """Read the compact form. A task's skill is its category.

    Raises:
        InstanceError: a key is missing, or of another kind.
    """
    try:
        skills, names = document["cats"], document["names"] or ()
        tasks = tuple(
            Task(float(work), skills[category], names[number] if names else str(number))
            for number, (work, category, _, _) in enumerate(document["tasks"])
        )
        edges = tuple(Edge(u, v, float(size)) for u, v, size in document["edges"])
        links = [float(link[2]) for link in (document.get("network") or {}).get("edges", ())]
        found = Instance(
            document["id"], tasks, edges, document["family"], median(links) if links else None
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InstanceError(f"{source}: is not in the compact form: {error!r}") from error
    return _sound(found, source)


def wfformat(document: Mapping[str, Any], source: str) -> Instance:
    """Read WfFormat; sizes are in bytes, times in seconds. A task's skill is its program's name.

    Raises:
        InstanceError: a key is missing, or of another kind.
    """
    try:
        rows, file_sizes = _wf_rows(document["workflow"])
        place = {row["id"]: number for number, row in enumerate(rows)}
        tasks = tuple(
            Task(float(row["seconds"]), _program(row["name"]), row["id"]) for row in rows
        )
        edges = tuple(
            Edge(place[parent], number, _shared(rows[place[parent]], row, file_sizes))
            for number, row in enumerate(rows)
            for parent in row["parents"]
        )
        found = Instance(str(document["name"]), tasks, edges, "wfformat")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InstanceError(f"{source}: is not WfFormat as known here: {error!r}") from error
    return _sound(found, source)


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


def _sound(found: Instance, source: str) -> Instance:
    """Refuse what no scheduler could take."""
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
    return found
