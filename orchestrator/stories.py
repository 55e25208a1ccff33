"""The story of a task that needs something warm: what happened to it, and to what it needs."""

from collections.abc import Sequence
from typing import Final

from orchestrator.core.lifecycle import FINAL
from orchestrator.core.state import Task
from orchestrator.journal import Entry, Journal

PAGE: Final = 512  # entries read at once


async def with_warm(journal: Journal, task: Task, told: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return a task's story together with that of its run's resources that it needs.

    From the plan up to the task's end, and what followed from that at once: whether they stay.
    Shared resources have a story of their own, of no run. O(entries of the run).

    Args:
        journal: where the run's facts are.
        task: as it is now.
        told: what happened to the task itself, one entry or more.
    """
    needs, last = task.needs, told[-1]
    heard: list[Entry] = []
    after = told[0].seq
    while page := await journal.entries(after, run=task.run, limit=PAGE):
        after = page[-1].seq
        if task.state in FINAL:
            page = [each for each in page if each.seq <= last.seq or each.wall == last.wall]
        heard += [each for each in page if tuple(getattr(each.fact, "resource", ())) in needs]
        if not page:
            break
    return tuple(sorted((*told, *heard), key=lambda entry: entry.seq))
