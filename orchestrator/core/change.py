"""What a batch of edits comes to: worked out and judged by `graph`, committed by `apply_edits`."""

from collections.abc import Iterable

from orchestrator.core.edits import Edit
from orchestrator.core.model import Dependency, TaskSpec
from protocol.types import TaskId


class Change:
    """The tasks and dependencies that some edits leave different."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self.edits = edits
        self.specs: dict[TaskId, TaskSpec | None] = {}
        """Tasks added, replaced or (None) removed."""
        self.incoming: dict[TaskId, dict[TaskId, Dependency]] = {}
        """Every dependency of each task whose dependencies changed."""
        self.fresh: set[TaskId] = set()
        """Replaced or given other arguments: what was tried before no longer counts."""
