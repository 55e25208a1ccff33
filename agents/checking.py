"""What must hold of a session after every step; tests ask."""

from collections import Counter
from collections.abc import Mapping

from agents.archive import CLOSED_KEPT, RESULTS_KEPT, Archive
from agents.attempt import LiveAttempt
from protocol.types import AttemptId


def broken(live: Mapping[AttemptId, LiveAttempt], archive: Archive, slots: int) -> list[str]:
    """Return what does not hold, in words."""
    places = [*live, *archive.results, *archive.closed]
    runs = Counter(each.offer.run for each in live.values())
    runs.update(row.run for row in archive.results.values())
    counted = {name: run.held for name, run in archive.runs.items() if run.held}
    working = [each for each in live.values() if not each.reconciling]
    unseen = [each for each in live.values() if each.deadline() < each.armed]
    wrong = {
        "an attempt is in two places": len(places) != len(set(places)),
        "more attempts run than there are slots": len(working) > slots,
        "results are not bounded": len(archive.results) >= RESULTS_KEPT + slots,
        "tombstones are not bounded": len(archive.closed) > CLOSED_KEPT,
        "a run with attempts could be forgotten": counted != runs,
        "a deadline would pass unseen": bool(unseen),
    }
    return [what for what, is_so in wrong.items() if is_so]
