"""Who makes plans. See `Planner`.

Plans are data: a planner answers with a batch of edits, which passes `checks` before it is
committed (`answers`). `playbook` and `scripted` are in the box.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.core.edits import EditBatch, Reason
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.model import DEFAULT_RUN_LIMITS
from orchestrator.core.snapshot import RunSnapshot
from protocol.types import DeviceCard, DeviceId, Json, RunId, TaskId

__all__ = [
    "DeviceView",
    "NoRevisionError",
    "PlanRequest",
    "Planner",
    "PlanningError",
    "RevisionRequest",
]


class PlanningError(OrchestratorError):
    """There is no plan, and `str()` says why and what to do; the run records it as data."""


class NoRevisionError(PlanningError):
    """This planner makes plans and never mends them: nothing that people need to be told."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as a planner sees it; one that is offline may come back."""

    card: DeviceCard
    online: bool = True


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to plan, and for whom; what chance a planner needs comes from `seed`."""

    run: RunId
    request: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    fleet: tuple[DeviceView, ...] = ()
    seed: int = 0
    deliverables: tuple[str, ...] = ()
    """What must come of it, where that is stated: see `checks.Goal`."""
    deadline_s: float | None = None
    """Seconds from now until the run must be done; None: whenever."""
    refused: tuple[Reason, ...] = ()
    """What was wrong with the answer before: a planner that cannot use it answers the same."""
    candidate: int = 0
    """Which of several answers is wanted, each another one; a planner that knows one gives it."""
    limit_s: float = DEFAULT_RUN_LIMITS.plan_s
    """How long the answer is waited for."""
    usual_s: Mapping[str, float] = field(default_factory=dict)
    """Skill → what it took so far on a device of speed 1, where that is known."""


@dataclass(frozen=True, slots=True)
class RevisionRequest:
    """What failed or came unexpected, in which state of the run, and where it was tried."""

    snapshot: RunSnapshot
    task: TaskId
    cause: str
    tried: tuple[DeviceId, ...] = ()
    fleet: tuple[DeviceView, ...] = ()
    seed: int = 0
    kind: str = ""
    """A `FailureKind`, or a `core.facts.Why`; empty: not known, since an older release asked."""
    deliverables: tuple[str, ...] = ()
    deadline_s: float | None = None
    ran_s: Mapping[TaskId, float] = field(default_factory=dict)
    """How long what runs has run, seconds."""
    refused: tuple[Reason, ...] = ()
    """See `PlanRequest`."""


class Planner(Protocol):
    """Splits a request into a task graph, and mends the graph when the world disagrees.

    Answers may take long; the caller sets the time limit, and cancels. An answer is never taken on
    trust: the caller checks it, and asks again with what is wrong in `refused`.
    """

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Make a first plan, with base revision 0.

        Raises:
            PlanningError: no plan can be made.
        """
        ...

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Mend the plan after a failure, with the snapshot's revision as the base.

        Raises:
            PlanningError: this planner cannot, or not this time.
        """
        ...
