"""Why a batch cannot be used, as far as that takes no schema of a device: quick to import."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final, TypeAlias

from orchestrator.core.edits import AddDependency, AddTask, EditBatch, Reason, ReplaceTask
from orchestrator.core.model import DEFAULT_LIMITS, DEFAULT_NEEDS, Dependency, On, TaskSpec
from orchestrator.planner import PlanRequest, RevisionRequest

Request: TypeAlias = PlanRequest | RevisionRequest
SHOWN: Final = 5  # reasons that a sentence has


def contradictory(batch: EditBatch) -> Iterator[Reason]:
    """Yield what is wrong whatever devices there are, or come: what also a person may not ask.

    The engine finds everything else of that kind. O(edits).
    """
    for edit in batch.edits:
        if isinstance(edit, AddTask | ReplaceTask):
            yield from senseless(edit.task)
            if edit.task.needs is not DEFAULT_NEEDS:
                yield from contradictions(edit.task)
        elif isinstance(edit, AddDependency):
            yield from unconditional(edit.dependency)


def senseless(spec: TaskSpec) -> Iterator[Reason]:
    """Yield what no task can have: no name, no time, no tries."""
    if not (spec.id.strip() and spec.skill.strip()):
        yield Reason("nameless", spec.id, f"task {spec.id!r}: write an id and a skill, not blanks")
    if spec.limits is not DEFAULT_LIMITS:
        for name, limit in asdict(spec.limits).items():
            if not (limit > 0 and math.isfinite(limit)):
                detail = f"task {spec.id!r}: limits.{name} is {limit:g}"
                yield Reason("limit", spec.id, f"{detail}: write a number greater than 0")
    if spec.estimate_s is not None and not (
        spec.estimate_s >= 0 and math.isfinite(spec.estimate_s)
    ):
        detail = f"task {spec.id!r}: estimate_s is {spec.estimate_s:g}"
        yield Reason("limit", spec.id, f"{detail}: write seconds, or leave it out")
    if spec.for_each is not None and (spec.for_each.min_success or 0) < 0:
        detail = f"task {spec.id!r}: for_each.min_success is {spec.for_each.min_success}"
        yield Reason("limit", spec.id, f"{detail}: write a number of at least 0")


def unconditional(each: Dependency) -> Iterator[Reason]:
    """Yield what is wrong where a condition is announced and not there, or the other way round."""
    if (each.on is On.WHEN) != (each.when is not None):
        detail = f"{each.predecessor!r} → {each.successor!r}: a condition under 'when' is given"
        yield Reason("dependency", each.successor, f"{detail} exactly with on: when")


def contradictions(spec: TaskSpec) -> Iterator[Reason]:
    """Yield what is wrong about the needs of one task, whatever devices there are."""
    for key, value in labels(spec).items():
        if spec.needs.labels.get(key, value) != value:
            detail = f"{key}={spec.needs.labels[key]} and, for each, {key}={value}: drop one"
            yield Reason("labels", spec.id, f"task {spec.id!r} asks for {detail}")
    for need in spec.needs.resources:
        if not (need.amount >= 0 and math.isfinite(need.amount)):
            detail = f"task {spec.id!r} needs {need.amount} of {need.kind!r}: state an amount ≥ 0"
            yield Reason("capacity", spec.id, detail)


def labels(spec: TaskSpec) -> Mapping[str, str]:
    """Return the labels that a task's device must have."""
    each, own = spec.for_each, spec.needs.labels
    return {**own, **each.labels} if each and each.source is None else own


def sentence(reasons: Sequence[Reason]) -> str:
    """Return reasons as one line, the first few of them."""
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return "; ".join(" ".join(each.detail.split()) for each in reasons[:SHOWN]) + more
