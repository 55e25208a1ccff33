"""Why a batch cannot be used, as far as that takes no schema of a device: quick to import."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from orchestrator.core.edits import AddTask, EditBatch, Reason, ReplaceTask
from orchestrator.core.model import DEFAULT_NEEDS, TaskSpec
from orchestrator.planner import PlanRequest, RevisionRequest

Request: TypeAlias = PlanRequest | RevisionRequest
SHOWN: Final = 5  # reasons that a sentence has


def contradictory(batch: EditBatch) -> Iterator[Reason]:
    """Yield what is wrong whatever devices there are, or come: what also a person may not ask.

    The engine finds everything else of that kind. O(edits).
    """
    for edit in batch.edits:
        if isinstance(edit, AddTask | ReplaceTask) and edit.task.needs is not DEFAULT_NEEDS:
            yield from contradictions(edit.task)


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
