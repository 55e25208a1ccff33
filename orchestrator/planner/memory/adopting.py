"""A candidate becomes a playbook: because a person says so, or by `RULE`."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.planner.memory.candidates import Candidate, difference
from orchestrator.planner.memory.errors import AdoptionError, LearningError, MemoryFileError
from orchestrator.planner.memory.files import draft
from orchestrator.planner.memory.works import Work
from orchestrator.planner.playbook.document import PlaybookError
from orchestrator.planner.playbook.plan import Playbook, load

MOST_DOUBLINGS: Final = 10  # 3,072 in a row: nobody waits for more


@dataclass(frozen=True, slots=True)
class Rule:
    """When a candidate may be adopted without asking, and is taken back."""

    successes: int = 3
    """In a row, of the same shape, without a failure since; twice as many after a retraction."""
    runs: int = 2
    """That differ, so that there is something to compare."""
    failures: int = 2
    """Of the playbook, more than successes since it was adopted: then it is retracted."""

    def wanted(self, retractions: int) -> int:
        """Return how many successes in a row it takes after so many retractions."""
        return self.successes << min(retractions, MOST_DOUBLINGS)


RULE: Final = Rule()


def due(work: Work, rule: Rule = RULE) -> Candidate | None:
    """Return the candidate that the rule adopts, if it does; every difference must be said."""
    if work.adopted or len(work.samples) < rule.runs:
        return None
    if work.streak < rule.wanted(work.retractions):
        return None
    try:
        found = work.candidate()
    except LearningError:
        return None
    return None if found.unsaid else found


def answering(work: Work, playbooks: Iterable[Playbook]) -> tuple[Playbook, ...]:
    """Return the playbooks that take requests of this work already.

    A candidate beside them would make such a request ambiguous.
    """
    asked = [each.request for each in work.samples]
    return tuple(each for each in playbooks if any(map(each.match, asked)))


def adopt(candidate: Candidate, folder: Path, *, replace: bool = False) -> Path:
    """Write a candidate to a folder of playbooks, whole or not at all, and return the file.

    One that is there already, word for word, is left alone.

    Args:
        candidate: what to write.
        folder: made if it is not there.
        replace: takes the place of the playbook of this name; else that is an error.

    Raises:
        AdoptionError: there is another, with the difference; or another file is in the way.
        MemoryFileError: the folder cannot be read or written.
    """
    there = _there(candidate.name, folder)
    path = Path(there.source) if there else folder / f"{candidate.name}.yaml"
    if there and not replace:
        if not (changed := difference(candidate, there)):
            return path
        raise AdoptionError(
            f"{path} has a playbook {candidate.name!r}: take another name, or replace it",
            difference=changed,
        )
    try:
        with draft(path, candidate.text) as written:
            if there:
                written.replace(path)
            else:
                os.link(written, path)  # unlike a rename, it never takes the place of a file
    except FileExistsError as error:
        raise AdoptionError(f"{path} is there and is no playbook {candidate.name!r}") from error
    except OSError as error:
        raise MemoryFileError(f"{path}: cannot be written: {error}") from error
    return path


def _there(name: str, folder: Path) -> Playbook | None:
    for path in sorted(folder.glob("*.yaml")):
        try:
            known = load(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError, PlaybookError) as error:
            raise MemoryFileError(f"{error}: mend that playbook first") from error
        if known.name == name:
            return known
    return None
