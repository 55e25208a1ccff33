"""A stage that is set for some tasks: the fleet, and the playbooks of these tasks."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from benchmarks.crossdevice.in_memory import in_memory
from benchmarks.crossdevice.processes import processes
from benchmarks.crossdevice.stage import Stage
from benchmarks.crossdevice.task import Task

STAGES: Final[Mapping[str, Callable[[Path, Path, str], AbstractAsyncContextManager[Stage]]]] = {
    "processes": processes,
    "memory": in_memory,
}


@asynccontextmanager
async def open_stage(
    kind: str, root: Path, tasks: Iterable[Task], *, model: str = ""
) -> AsyncIterator[Stage]:
    """Set one of `STAGES` in an empty folder, with the reference plans of the tasks.

    Args:
        kind: which of them.
        root: the folder.
        tasks: whose plans are needed.
        model: TOML, the table `[planner.llm]`, for the arm `model`.
    """
    playbooks = root / "playbooks"
    (playbooks / "revisions").mkdir(parents=True)
    for task in tasks:
        shutil.copy(task.playbook, playbooks / f"{task.name}.yaml")
        revisions = task.folder / "revisions.yaml"
        if revisions.is_file():
            shutil.copy(revisions, playbooks / "revisions" / f"{task.name}.yaml")
    async with STAGES[kind](root, playbooks, model) as stage:
        yield stage
