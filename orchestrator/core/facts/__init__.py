"""Facts: what has happened, in the past tense. The journal is their sequence; state is their fold.

A fact holds whatever folding it needs, so that folding never decides: times are elapsed seconds
of the life of the coordinator that wrote it (`CoordinatorStarted` re-bases them). `VOLATILE` facts
change only what a restart forgets, and are not journaled.
"""

from typing import TypeAlias

from orchestrator.core.facts.attempts import (
    AttemptAccepted,
    AttemptCancelled,
    AttemptFailed,
    AttemptLapsed,
    AttemptLost,
    AttemptOutrun,
    AttemptRejected,
    AttemptStarted,
    AttemptSucceeded,
    AttemptUnknown,
    Hedge,
    TaskPlaced,
)
from orchestrator.core.facts.devices import (
    DeadlineMoved,
    DeviceJoined,
    DeviceLeft,
    DeviceLost,
    DeviceOnline,
    LoadSeen,
    TransferSeen,
)
from orchestrator.core.facts.resources import (
    Cause,
    GapObserved,
    PinGranted,
    ResourceAdopted,
    ResourceEvicted,
    ResourceLoaded,
    ResourceReleased,
    ReuseObserved,
    RunTimeObserved,
    WarmSetVoided,
)
from orchestrator.core.facts.runs import (
    REST,
    CoordinatorStarted,
    EditAccepted,
    EditRefused,
    PlanAdopted,
    PlanAnswered,
    PlanAsked,
    RunCancelRequested,
    RunEnded,
    RunForgotten,
    RunJudged,
    RunPaused,
    RunResumed,
    RunStatus,
    RunSubmitted,
    RunSuperseded,
    Why,
)
from orchestrator.core.facts.tasks import (
    Awaiting,
    DeviceExcluded,
    InputAnswered,
    InputRequested,
    TaskCancelled,
    TaskCancelling,
    TaskExpanded,
    TaskFailed,
    TaskJoined,
    TaskRecovering,
    TaskSettled,
    TasksReady,
    TasksSkipped,
    TaskUnknown,
)

__all__ = [
    "REST",
    "VOLATILE",
    "AttemptAccepted",
    "AttemptCancelled",
    "AttemptFailed",
    "AttemptLapsed",
    "AttemptLost",
    "AttemptOutrun",
    "AttemptRejected",
    "AttemptStarted",
    "AttemptSucceeded",
    "AttemptUnknown",
    "Awaiting",
    "Cause",
    "CoordinatorStarted",
    "DeadlineMoved",
    "DeviceExcluded",
    "DeviceJoined",
    "DeviceLeft",
    "DeviceLost",
    "DeviceOnline",
    "EditAccepted",
    "EditRefused",
    "Fact",
    "GapObserved",
    "Hedge",
    "InputAnswered",
    "InputRequested",
    "LoadSeen",
    "PinGranted",
    "PlanAdopted",
    "PlanAnswered",
    "PlanAsked",
    "ResourceAdopted",
    "ResourceEvicted",
    "ResourceLoaded",
    "ResourceReleased",
    "ReuseObserved",
    "RunCancelRequested",
    "RunEnded",
    "RunForgotten",
    "RunJudged",
    "RunPaused",
    "RunResumed",
    "RunStatus",
    "RunSubmitted",
    "RunSuperseded",
    "RunTimeObserved",
    "TaskCancelled",
    "TaskCancelling",
    "TaskExpanded",
    "TaskFailed",
    "TaskJoined",
    "TaskPlaced",
    "TaskRecovering",
    "TaskSettled",
    "TaskUnknown",
    "TasksReady",
    "TasksSkipped",
    "TransferSeen",
    "WarmSetVoided",
    "Why",
]

Fact: TypeAlias = (
    CoordinatorStarted
    | RunSubmitted
    | PlanAsked
    | PlanAnswered
    | EditAccepted
    | EditRefused
    | RunPaused
    | RunResumed
    | RunCancelRequested
    | RunEnded
    | RunJudged
    | PlanAdopted
    | RunForgotten
    | RunSuperseded
    | TasksReady
    | TasksSkipped
    | TaskExpanded
    | TaskJoined
    | TaskRecovering
    | DeviceExcluded
    | TaskFailed
    | TaskCancelling
    | TaskCancelled
    | TaskUnknown
    | TaskSettled
    | InputRequested
    | InputAnswered
    | TaskPlaced
    | AttemptAccepted
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptRejected
    | AttemptCancelled
    | AttemptUnknown
    | AttemptLapsed
    | AttemptOutrun
    | AttemptLost
    | DeviceJoined
    | DeviceOnline
    | DeviceLost
    | DeviceLeft
    | LoadSeen
    | TransferSeen
    | DeadlineMoved
    | PinGranted
    | ResourceReleased
    | ResourceEvicted
    | ResourceLoaded
    | ResourceAdopted
    | WarmSetVoided
    | GapObserved
    | ReuseObserved
    | RunTimeObserved
)

VOLATILE: frozenset[type[Fact]] = frozenset({LoadSeen, TransferSeen, DeadlineMoved})
"""Facts about the present only: applied, never journaled, forgotten by a restart."""
