"""What a plan is made of: tasks, dependencies, needs and limits. Frozen values, valid when made.

References inside `TaskSpec.args` are JSON objects of two forms. ``{"$from": "collect", "path":
["lines", 0]}`` stands for that place in the output of the task ``collect`` and makes it a
predecessor; ``{"$item": ["path"]}`` stands for that place in the item of a `ForEach`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from protocol.types import DeviceId, Effect, Json, ResourceNeed, TaskId


class On(StrEnum):
    """When a dependency lets its successor go, once its predecessor is final."""

    SUCCESS = "success"
    FAILURE = "failure"
    COMPLETION = "completion"
    WHEN = "when"
    """It succeeded and the dependency's predicate holds for its output."""


class Op(StrEnum):
    """The comparison of a predicate."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    EXISTS = "exists"
    TRUTHY = "truthy"


@dataclass(frozen=True, slots=True)
class Predicate:
    """`output[path] op value`; a place that is not there makes it false."""

    path: tuple[str | int, ...]
    op: Op
    value: Json = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """`successor` waits for `predecessor`; `when` is set exactly when `on` is WHEN."""

    predecessor: TaskId
    successor: TaskId
    on: On = On.SUCCESS
    when: Predicate | None = None
    size_bytes: float | None = None
    """How much of the result the successor reads; None: not known before it is there."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Where a task may run: all labels equal, and `device` itself where it is given."""

    device: DeviceId | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[ResourceNeed, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one task. All durations in seconds, all > 0."""

    queue_s: float = 3600.0
    """Ready, but no device took it."""
    start_s: float = 15.0
    """Offered, but neither accepted nor refused."""
    run_s: float = 3600.0
    """Started, but not finished."""
    input_s: float = 86400.0
    """A person was asked and has not answered."""
    unknown_s: float = 600.0
    """A `once` outcome was lost and nobody has said what it came to."""
    attempts: int = 4
    """Tries that count as the task's own fault or its device's, ≥ 1."""


DEFAULT_NEEDS = Needs()
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class ForEach:
    """Expand a task at run time, once for every item, and join the results.

    Items are the elements of the list that `source` (a ``$from`` reference) stands for, or, where
    `source` is None, every known device that has `labels` and the task's skill, lost ones
    included: they may come back. Each child is the task itself with ``$item`` filled in; over
    devices it is bound to that device. The join's output is ``{"results": […], "items": […],
    "missing": [{"item": …, "reason": …}]}``, with `results[i]` that of `items[i]`.
    """

    source: Json = None
    labels: Mapping[str, str] = field(default_factory=dict)
    min_success: int | None = None
    """The join succeeds with so many successes; None asks for all of them."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One unit of a plan: a skill, its arguments, and where, how long and how often."""

    id: TaskId
    skill: str
    args: Mapping[str, Json] = field(default_factory=dict)
    title: str = ""
    needs: Needs = DEFAULT_NEEDS
    limits: Limits = DEFAULT_LIMITS
    effect: Effect | None = None
    """None takes the effect class that the device declares for the skill."""
    estimate_s: float | None = None
    for_each: ForEach | None = None
    expect: Predicate | None = None
    """What the plan takes its output to be. Where that does not hold, the planner is asked to
    revise what waits for the task before that starts; without an answer the output counts as it
    is."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Bounds on one run."""

    plan_s: float = 120.0
    """Seconds for one answer of the planner."""
    revisions: int = 8
    """How often the planner may be asked to revise."""
    deadline_s: float | None = None
    """Seconds from submission; past it the run is cancelled and fails."""


DEFAULT_RUN_LIMITS = RunLimits()


@dataclass(frozen=True, slots=True)
class Now:
    """The shell's clocks at an event: seconds since the epoch, and elapsed (counts suspension)."""

    wall: float
    elapsed: float
