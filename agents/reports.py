"""What a device says of an attempt, in one place or the other. Pure, like `session`."""

from agents.actions import AttemptRow
from agents.attempt import LiveAttempt
from protocol.messages import Phase, Report
from protocol.types import Incarnation


def standing(live: LiveAttempt, incarnation: Incarnation) -> Report:
    """Say how far a live attempt has come."""
    return Report(
        live.offer.attempt, live.phase, live.offer.run, incarnation,
        progress=live.progress if live.phase is Phase.STARTED else None, note=live.note,
    )  # fmt: skip


def final(row: AttemptRow, incarnation: Incarnation) -> Report:
    """Say what an attempt came to."""
    return Report(row.attempt, Phase.FINISHED, row.run, incarnation, row.outcome, row.run_s)
