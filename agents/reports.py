"""What a device says of attempts: how they stand, what they came to, or that they never start.

Pure, like `session`. What is said of an attempt is in the ledger first.
"""

from collections.abc import Mapping

from agents.actions import Action, AttemptRow, Say
from agents.archive import Archive, Run
from agents.attempt import NOTHING, Fetched, LiveAttempt
from agents.refusals import stale
from agents.warm.warming import Warming
from protocol.codec import Request
from protocol.messages import Cancel, Offer, Phase, Report
from protocol.types import (
    AttemptId,
    Effect,
    Incarnation,
    Outcome,
    RunId,
)


class Reports:
    """The words of one session.

    Args:
        live: its attempts that are not over.
        archive: those that are.
        incarnation: the life that speaks.
        warming: what attempts that are over left warm.
    """

    def __init__(
        self,
        live: Mapping[AttemptId, LiveAttempt],
        archive: Archive,
        incarnation: Incarnation,
        warming: Warming,
    ) -> None:
        self._live = live
        self._archive = archive
        self._incarnation = incarnation
        self._warming = warming

    def standing(self, live: LiveAttempt, to: Request) -> list[Action]:
        """Say how far a live attempt has come."""
        report = Report(
            live.offer.attempt, live.phase, live.offer.run, self._incarnation,
            progress=live.progress if live.phase is Phase.STARTED else None, note=live.note,
            question=live.question if live.phase is Phase.INPUT_REQUIRED else 0,
        )  # fmt: skip
        return [*self.recorded(live), Say(report, to)]

    def follower(self, live: LiveAttempt) -> Request:
        """Return who hears of a live attempt."""
        return self._archive.runs[live.offer.run].follower(live.caller, live.offer.epoch)

    def final(self, row: AttemptRow, to: Request, fetched: Fetched = NOTHING) -> Say:
        """Say what an attempt came to, and, where that is known, what it fetched."""
        warm = self._warming.warm_of(row.attempt) if self._warming.told else ()
        report = Report(
            row.attempt, Phase.FINISHED, row.run, self._incarnation, row.outcome, row.run_s,
            warm=warm, fetched_bytes=fetched.size_bytes, fetch_s=fetched.fetch_s,
        )  # fmt: skip
        return Say(report, to)

    def recorded(self, live: LiveAttempt) -> tuple[AttemptRow, ...]:
        """Return what must be in the ledger before the attempt is spoken of."""
        if live.recorded:
            return ()
        live.recorded = True
        return (live.row(),)

    def present(
        self, attempt: AttemptId, to: Request, out: list[Action], *, follow: bool = False
    ) -> bool:
        """Say how an attempt stands, if it is known; `follow`: what it comes to goes there too."""
        if live := self._live.get(attempt):
            live.caller = to if follow else live.caller
            out += self.standing(live, to)
            return True
        if row := self._archive.find(attempt):
            out.append(self.final(row, to))
        return row is not None

    def bury(
        self, of: Offer | Cancel, token: int, verdict: Outcome, to: Request, out: list[Action]
    ) -> None:
        """Answer for an attempt that never started, and now never can."""
        effect = of.effect if isinstance(of, Offer) else Effect.ONCE
        row = AttemptRow(of.attempt, of.run, of.epoch, token, effect, verdict, closed=True)
        self._archive.bury(row, out)
        out.append(self.final(row, to))

    def speaks(
        self, attempt: AttemptId, run: RunId, epoch: int, by: Request, out: list[Action]
    ) -> Run | None:
        """Return the run if this epoch still speaks for it, else say that it does not."""
        known = self._archive.seen(run, epoch, by, out)
        if known is None:
            out.append(stale(attempt, run, epoch, self._archive.runs[run].epoch, by))
        return known
