"""A playbook that the rule adopted stays on trial, and is taken back if it does not hold.

Its runs count: those whose plan is the playbook's, for a request that it answers. Each that failed
counts against it, each that succeeded takes one of these back; who was cancelled says nothing.
At `RULE.failures` it is retracted. So that it does not come and go, the rule then wants twice as
many successes in a row as the last time. What a person adopted, or changed since, is theirs: it
is never touched.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from orchestrator.core.edits import AddTask
from orchestrator.core.facts import EditAccepted, Fact
from orchestrator.planner.memory.adopting import RULE, Rule
from orchestrator.planner.memory.errors import MemoryFileError
from orchestrator.planner.memory.files import draft
from orchestrator.planner.memory.works import Work
from orchestrator.planner.playbook.plan import Playbook, load

PLANNER = "planner"


def digest(path: Path) -> str:
    """Return a digest of a file's bytes; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def on_trial(digests: Container[str], folder: Path) -> Mapping[str, Playbook]:
    """Return the playbooks of a folder with these digests, by digest; what is damaged has none."""
    found = {digest(path): path for path in sorted(folder.glob("*.yaml"))}
    return {
        each: load(path.read_text(encoding="utf-8"), str(path))
        for each, path in found.items()
        if each and each in digests
    }


def planned(playbook: Playbook, request: str, facts: Iterable[Fact]) -> bool:
    """Tell whether the first plan of a run came from a playbook."""
    if playbook.match(request) is None:
        return False
    first = next((fact for fact in facts if isinstance(fact, EditAccepted)), None)
    if first is None or first.by != PLANNER:
        return False
    tasks = {edit.task.id: edit.task.skill for edit in first.edits if isinstance(edit, AddTask)}
    return tasks == {task.id: task.skill for task in playbook.part.tasks}


def overdue(work: Work, rule: Rule = RULE) -> bool:
    """Tell whether the rule takes back what it adopted."""
    return bool(work.digest) and work.against >= rule.failures


def retract(playbook: Playbook, into: Path) -> Path:
    """Move a playbook to a folder where nobody plans from it, and return where it is then.

    Raises:
        MemoryFileError: it cannot be moved.
    """
    source, path = Path(playbook.source), into / Path(playbook.source).name
    try:
        with draft(path, source.read_text(encoding="utf-8")) as written:
            written.replace(path)
        source.unlink(missing_ok=True)
    except OSError as error:
        raise MemoryFileError(f"{source}: cannot be retracted: {error}") from error
    return path
