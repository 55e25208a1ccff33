"""What the coordinator asks of a journal; see the package for the promises."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from orchestrator.core.facts import Fact
from orchestrator.core.model import Now
from orchestrator.journal.errors import JournalError
from protocol.types import RunId, TaskId

SavedRow: TypeAlias = tuple[str, str, bytes | None]
"""Kind, key and value of a snapshot row; None deletes it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact with its place in the journal (from 1, rising) and the time of its event."""

    seq: int
    wall: float
    elapsed: float
    fact: Fact


def concerns(fact: Fact, task: TaskId) -> bool:
    """Tell whether a fact belongs to the story of a task."""
    if getattr(fact, "task", None) == task or task in getattr(fact, "tasks", ()):
        return True
    edited = (getattr(edit, "task", None) for edit in getattr(fact, "edits", ()))
    specs = (*getattr(fact, "children", ()), *edited)
    return any(getattr(spec, "id", spec) == task for spec in specs)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a coordinator starts from: snapshot rows, and the entries to fold over them."""

    rows: Mapping[tuple[str, str], bytes]
    entries: Sequence[Entry]
    last: Now | None
    """The newest time journaled; None in a new journal."""
    runs: Collection[RunId] = ()
    """Runs that have entries, covered ones included: those no longer known are to be pruned."""


def ignore(_: object) -> None:
    """Do nothing: what `on_durable` and `on_failure` are until the owner sets them."""


class Journal(Protocol):
    """The durable record. Enter it, `recover`, then append; one owner, one event loop.

    Entering takes the next owner epoch, durably. From then on whatever a former owner writes is
    refused with `FencedError`, whole: it is told once by `on_failure`, and `durable` stays.
    """

    on_durable: Callable[[int], None]
    """Called on the loop with the newest durable seq whenever it rises."""
    on_failure: Callable[[JournalError], None]
    """Called on the loop once, if the journal can be written no longer."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def durable(self) -> int:
        """The newest seq that is durable, 0 at first."""
        ...

    def append(self, now: Now, facts: Sequence[Fact]) -> int:
        """Take facts of an event, volatile ones left out, and return the newest seq.

        Does not wait: they are durable once `durable` has reached that seq.

        Raises:
            JournalError: The journal has failed.
            TypeError: A fact holds something that is not JSON; none of them was taken.
        """
        ...

    def save_rows(self, rows: Sequence[SavedRow], *, more: bool = False) -> None:
        """Change snapshot rows, after which they hold what all facts so far amount to.

        They become durable together with those facts, in one step: keep a call bounded. With
        `more` to come, the rows are set aside, and count with the first call without it; if that
        never comes, they never were.

        Raises:
            JournalError: The journal has failed.
        """
        ...

    def prune(self, run: RunId) -> None:
        """Delete the entries of a finished run in the background, and its tasks' rows.

        Only entries that a snapshot covers are deleted, so that nothing is recovered by halves,
        and rows of tasks only where the run itself has no row any more. A crash may leave some
        behind (`Recovered.runs`); prune again.

        Raises:
            JournalError: The journal has failed.
        """
        ...

    async def entries(
        self,
        after: int = 0,
        *,
        run: RunId | None = None,
        task: TaskId | None = None,
        limit: int | None = None,
    ) -> Sequence[Entry]:
        """Return durable entries with a seq above `after`, oldest first, at most `limit`.

        The story of a `task` includes the edits that made it and facts about several tasks.

        Raises:
            JournalError: The journal cannot be read.
        """
        ...

    async def recover(self) -> Recovered:
        """Return what was durable when the journal was entered.

        Raises:
            JournalError: The journal cannot be read.
        """
        ...
