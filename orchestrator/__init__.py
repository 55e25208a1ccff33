"""Plans, schedules and keeps whole what many devices do together.

`Orchestrator` is the way in: an async context manager to submit requests to. `core` decides,
`coordinator` carries out, `journal` remembers, `planner` turns requests into task graphs.
"""

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.errors import EditRefusedError, OrchestratorError, RequestError
from orchestrator.core.facts import RunStatus
from orchestrator.core.model import (
    Dependency,
    ForEach,
    Limits,
    Needs,
    On,
    Op,
    Predicate,
    RunLimits,
    TaskSpec,
)
from orchestrator.library import Orchestrator
from orchestrator.results import RunResult
from orchestrator.run import Run

__all__ = [
    "AddDependency",
    "AddTask",
    "CancelTask",
    "Dependency",
    "EditBatch",
    "EditRefusedError",
    "ForEach",
    "Limits",
    "Needs",
    "On",
    "Op",
    "Orchestrator",
    "OrchestratorError",
    "Predicate",
    "RemoveDependency",
    "RemoveTask",
    "ReplaceTask",
    "RequestError",
    "Run",
    "RunLimits",
    "RunResult",
    "RunStatus",
    "SetArgs",
    "TaskSpec",
]
