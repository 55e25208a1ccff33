"""What can go wrong with memory.

`OrchestratorError` ← `LearningError` (nothing to learn from this), `MemoryFileError` (a file of
the store) ← `MemoryBusyError` (for now), `AdoptionError` (a playbook is in the way).
"""

from orchestrator.core.errors import OrchestratorError


class LearningError(OrchestratorError):
    """Nothing can be learned from this run, or these runs together; `str()` says why."""


class MemoryFileError(OrchestratorError):
    """A file of the store cannot be read or written; `str()` names it and, if known, the line."""


class MemoryBusyError(MemoryFileError):
    """Another process writes the store, which takes it milliseconds: nothing was changed."""


class AdoptionError(OrchestratorError):
    """Another playbook is in the way; `str()` says which, and what to do."""

    def __init__(self, message: str, *, difference: str = "") -> None:
        super().__init__(message)
        self.difference = difference
        """What replacing it would change: a unified diff."""
