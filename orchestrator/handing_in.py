"""Large plans on their way in: judged and split in a thread, so that nothing else waits for it.

Only what is submitted goes in parts: whoever submits has no word yet, and repeats. A planner's
plan is taken in one step, however long that is, since a run that was promised must not be lost
with a coordinator that dies between two parts.
"""

import asyncio

from orchestrator.core.edits import EditBatch
from orchestrator.core.errors import EditRefusedError
from orchestrator.core.facts import RunSubmitted
from orchestrator.core.model import DEFAULT_RUN_LIMITS
from orchestrator.core.parts import PART_EDITS, parts
from orchestrator.core.state import Run
from orchestrator.planner.refusals import contradictory
from protocol.types import RunId


async def parts_of(plan: EditBatch) -> tuple[EditBatch, ...]:
    """Return the parts of a first plan.

    Raises:
        EditRefusedError: the plan as a whole cannot be accepted.
    """
    if len(plan.edits) <= PART_EDITS:
        refuse_contradictions(plan)
        return (plan,)
    return await asyncio.to_thread(_parts, plan)


def refuse_contradictions(batch: EditBatch) -> None:
    """Make sure that a batch asks for nothing that no device could ever do.

    Raises:
        EditRefusedError: it does.
    """
    if reasons := tuple(contradictory(batch)):
        raise EditRefusedError(reasons)


def _parts(plan: EditBatch) -> tuple[EditBatch, ...]:
    refuse_contradictions(plan)
    nobody = RunSubmitted(RunId(""), "", "", "", 0, DEFAULT_RUN_LIMITS, None, 0, 0.0, 0.0)
    return parts(Run(nobody, 0), plan)
