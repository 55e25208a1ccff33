"""What can go wrong with memory.

`OrchestratorError` ← `LearningError` (nothing to learn from this), `MemoryFileError` (a file of
the store), `AdoptionError` (a playbook is in the way).
"""

from orchestrator.core.errors import OrchestratorError


class LearningError(OrchestratorError):
    """Nothing can be learned from this run, or these runs together; `str()` says why."""


class MemoryFileError(OrchestratorError):
    """A file of the store cannot be read or written; `str()` names it and, if known, the line."""


class AdoptionError(OrchestratorError):
    """Another playbook of this name is there; `str()` says where, and what to do."""
