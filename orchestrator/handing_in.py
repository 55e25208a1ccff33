"""Large plans on their way in: judged and split in a thread, so that nothing else waits for it.

Only what is submitted goes in parts: whoever submits has no word yet, and repeats. A planner's
plan is taken in one step, however long that is, since a run that was promised must not be lost
with a coordinator that dies between two parts.
"""

import asyncio
import math
from collections.abc import Sequence

from orchestrator.core.edits import EditBatch
from orchestrator.core.errors import EditRefusedError, RequestError
from orchestrator.core.facts import RunSubmitted
from orchestrator.core.model import DEFAULT_RUN_LIMITS, RunLimits
from orchestrator.core.parts import PART_EDITS, parts
from orchestrator.core.state import Run
from orchestrator.forms import check_form
from orchestrator.planner.refusals import contradictory
from protocol.types import RunId


def sensible(
    request: str, plan: EditBatch | None, limits: RunLimits, deliverables: Sequence[str]
) -> None:
    """Make sure that there is something to do, within bounds that can be kept.

    Raises:
        RequestError: there is not; it says what to write.
    """
    if plan is None and not str(request).strip():
        raise RequestError("the request is blank: say in words what is to be done")
    if isinstance(deliverables, str):
        raise RequestError(f"deliverables: write a list of names, such as [{deliverables!r}]")
    check_form(limits, RunLimits, "limits")
    for name, limit, least in (
        ("plan_s", limits.plan_s, "greater than 0"),
        ("deadline_s", limits.deadline_s, "greater than 0"),
        ("revisions", limits.revisions + 1, "of at least 0"),
    ):
        if limit is not None and not (limit > 0 and math.isfinite(limit)):
            raise RequestError(f"limits.{name}: write a number {least}")


async def parts_of(plan: EditBatch) -> tuple[EditBatch, ...]:
    """Return the parts of a first plan.

    Raises:
        RequestError: the plan as a whole cannot be accepted, or is none.
    """
    if len(getattr(plan, "edits", ())) <= PART_EDITS:  # whatever it is
        refuse_contradictions(plan)
        return (plan,)
    return await asyncio.to_thread(_parts, plan)


def refuse_contradictions(batch: EditBatch) -> None:
    """Make sure that a batch is one, and asks for nothing that no device could ever do.

    Raises:
        RequestError: it is none; the error names the part that is not what its type says.
        EditRefusedError: it asks for that.
    """
    check_form(batch, EditBatch, "plan")
    if reasons := tuple(contradictory(batch)):
        raise EditRefusedError(reasons)


def _parts(plan: EditBatch) -> tuple[EditBatch, ...]:
    refuse_contradictions(plan)
    nobody = RunSubmitted(RunId(""), "", "", "", 0, DEFAULT_RUN_LIMITS, None, 0, 0.0, 0.0)
    return parts(Run(nobody, 0), plan)
