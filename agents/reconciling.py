"""Asking skills what came of `once` attempts that were cut off. Pure, like `session`.

A look-up is read-only, so it may be made again: after another crash, and at each query of a
coordinator whose attempt is still unknown. What cannot be told while the agent stops is not
recorded, and stays live: the next life asks.
"""

from agents.actions import Action, AttemptRow, ReconcileSkill
from agents.archive import Archive
from agents.attempt import LiveAttempt
from protocol.types import AttemptId, Outcome, Unknown


class LookUps:
    """Moves attempts from what is over back to what is live, for as long as a skill looks."""

    def __init__(self, live: dict[AttemptId, LiveAttempt], archive: Archive, slots: int) -> None:
        self._live = live
        self._archive = archive
        self._slots = slots
        self.stopped = False
        """The agent stops: nothing is looked up again."""

    def resume(self) -> list[Action]:
        """Begin with what a crash left open, whatever there is room for: it is charged already."""
        rows, self._archive.open = self._archive.open, []
        return [order for row in rows for order in self._begin(row)]

    def again(self, attempt: AttemptId) -> list[Action]:
        """Look once more, if the attempt is unknown, its skill can, and a slot is free."""
        row = self._archive.find(attempt)
        room = len(self._live) < self._slots and not self.stopped
        # A plain A2A client was told a final state, which for it is the last one.
        return self._begin(row) if row and row.token and room else []

    def instead(self, live: LiveAttempt, outcome: Outcome) -> list[Action] | None:
        """Return what to do instead of taking this outcome for the end; None if it is the end."""
        if not live.reconciles or not isinstance(outcome, Unknown):
            return None
        if not live.reconciling:
            live.reconcile()
            return [ReconcileSkill(live.offer)]
        return [] if self.stopped else None  # live to the last: who asks must hear that it started

    def _begin(self, row: AttemptRow) -> list[Action]:
        known = self._archive.reopen(row)
        if known is None:
            return []
        live = self._live[row.attempt] = LiveAttempt.cut_off(row, *known)
        return [ReconcileSkill(live.offer)]
