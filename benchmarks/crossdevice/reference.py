"""The reference planner: the playbook of a task, and what its `revisions.yaml` says of failures.

A revision is a part of the playbook said anew: tasks of the same id replace those that have not
started, others are added. It is used once, when the task it names has failed for a reason that it
names.

```yaml
- failed: fetch               # the id of the task; of a for_each any of its parts
  cause: "503|refused"        # a regular expression that finds something in the reason
  tasks:                      # as in a playbook
    - {id: fetch, skill: http.get, args: {url: "${site}/mirror-b/data.json"}}
```
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from benchmarks.crossdevice import notes
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    Edit,
    EditBatch,
    RemoveDependency,
    ReplaceTask,
)
from orchestrator.core.references import predecessors
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import NoRevisionError, PlanRequest, RevisionRequest
from orchestrator.planner.playbook import Playbook, PlaybookPlanner, load
from orchestrator.planner.playbook.document import read
from protocol.types import Json, RunId


class Revision(BaseModel):
    """One entry of `revisions.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    failed: str
    cause: str = "."
    tasks: Annotated[Sequence[Mapping[str, JsonValue]], Field(min_length=1)]


_LIST: Final = TypeAdapter(tuple[Revision, ...])


def revisions(path: Path) -> tuple[Revision, ...]:
    """Read a `revisions.yaml`; without one, nothing changes.

    Raises:
        PlaybookError: it is no YAML such as playbooks are.
        ValidationError: it is not as it should be.
    """
    if not path.is_file():
        return ()
    return _LIST.validate_python(read(path.read_text(encoding="utf-8"), str(path)).value)


class ReferencePlanner:
    """Plans as the playbooks say, and mends as the revisions beside them say.

    Args:
        folders: each with playbooks (`NAME.yaml`), and below `revisions` what belongs to them,
            under the same name.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        folders = tuple(folders)
        self._playbooks = PlaybookPlanner(folders)
        self._revisions = {
            path.stem: revisions(path)
            for folder in folders
            for path in sorted((folder / "revisions").glob("*.yaml"))
        }
        self._notes = folders[-1] / "given.jsonl"
        self._used: set[tuple[RunId, int]] = set()

    async def propose(self, request: PlanRequest) -> EditBatch:
        """See `Planner`."""
        playbook, match = self._playbooks.find(request.request)
        given = {**match.parameters, **request.parameters}
        notes.add(self._notes, request.run, given)  # for the next life
        return playbook.plan(given)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Answer with the first revision that names the failure and was not used yet."""
        run = request.snapshot.run
        playbook, _ = self._playbooks.find(request.snapshot.request)
        known = self._revisions.get(playbook.name, ())
        for number, each in enumerate(known):
            if (run, number) not in self._used and _names(each, request):
                self._used.add((run, number))
                edits = tuple(_edits(playbook, self._given(run), each, request.snapshot))
                return EditBatch(request.snapshot.revision, edits)
        raise NoRevisionError(f"nothing is said of {request.task!r}: {request.cause}")

    async def again(self, run: RunSnapshot) -> EditBatch:
        """Return the first plan of a run once more."""
        playbook, _ = self._playbooks.find(run.request)
        return playbook.plan(self._given(run.run))

    def _given(self, run: RunId) -> Mapping[str, Json]:
        """Return the parameters of a run, of a former life too."""
        given: Mapping[str, Json] = notes.of(self._notes, run)[-1]
        return given


def revised(playbook: Playbook, revision: Revision) -> Playbook:
    """Say a playbook anew with the tasks of a revision.

    Raises:
        PlaybookError: they do not fit.
    """
    part, new = playbook.part.model_dump(mode="json", exclude_unset=True), _new(revision)
    kept = [each for each in part["tasks"] if each["id"] not in new]
    text = yaml.safe_dump({**part, "tasks": [*kept, *new.values()]}, sort_keys=False)
    return load(text, f"the revision of {revision.failed}")


def _new(revision: Revision) -> Mapping[str, Mapping[str, Json]]:
    return {str(each.get("id")): each for each in revision.tasks}


def _names(revision: Revision, request: RevisionRequest) -> bool:
    return request.task.partition("[")[0] == revision.failed and bool(
        re.search(revision.cause, request.cause)
    )


def _edits(
    playbook: Playbook, given: Mapping[str, Json], revision: Revision, run: RunSnapshot
) -> Iterator[Edit]:
    """Yield what changes by a revision."""
    new, plan = _new(revision), revised(playbook, revision).plan(given)
    there = {task.spec.id: task.dependencies for task in run.tasks}
    wanted = [edit.dependency for edit in plan.edits if isinstance(edit, AddDependency)]
    for edit in plan.edits:
        match edit:
            case AddTask(spec) if spec.id in new and spec.id in there:
                yield ReplaceTask(spec)
                waits = {*predecessors(spec)} | {
                    each.predecessor for each in wanted if each.successor == spec.id
                }
                for each in there[spec.id]:  # what it waits for no longer would skip it
                    if each.predecessor not in waits:
                        yield RemoveDependency(each.predecessor, spec.id)
            case AddTask(spec) if spec.id in new:
                yield edit
            case AddDependency(each) if each.successor in new:
                if each not in there.get(each.successor, ()):
                    yield edit
            case _:
                pass
