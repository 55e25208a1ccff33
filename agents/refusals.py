"""What a device answers to orders that it cannot follow. Pure, like `session`."""

from typing import Final

from agents.actions import Say
from protocol.codec import ErrorCode, Request
from protocol.messages import Refused
from protocol.types import AttemptId, RunId

STALE_EPOCH: Final = -32010  # of the codes that JSON-RPC leaves to us; A2A uses -32001 to -32009


def not_found(attempt: AttemptId, request: Request) -> Say:
    """Say that an attempt is not here."""
    unknown = ErrorCode.TASK_NOT_FOUND.refused("no such attempt here", request_id=attempt)
    return Say(unknown, request)


def stale(attempt: AttemptId, run: RunId, epoch: int, seen: int, request: Request) -> Say:
    """Say that the one who orders lost the run to a coordinator with the epoch `seen`."""
    detail = f"epoch {epoch} of run {run} is over: a later coordinator has it, with epoch {seen}"
    return Say(Refused(attempt, STALE_EPOCH, "stale_epoch", detail, seen), request)
