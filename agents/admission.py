"""Which offers a device takes: its skills, its owner's policy, its slots. Pure, like `session`."""

from collections.abc import Callable
from typing import Final

from agents.archive import RESULTS_KEPT, Archive
from protocol.messages import Offer, Prefetch
from protocol.types import DeviceCard, Effect, Failed, FailureKind, Outcome, Rejected

_STRICTNESS: Final = (Effect.PURE, Effect.IDEMPOTENT, Effect.ONCE)


def anyone(_caller: str, _skill: str) -> bool:
    """Let everybody use everything: an owner without a policy."""
    return True


class Admission:
    """The device's word on an offer that it does not know yet."""

    def __init__(self, card: DeviceCard, permits: Callable[[str, str], bool]) -> None:
        self._slots = card.slots
        self._effects = {skill.name: skill.effect for skill in card.skills}
        self._permits = permits
        self.draining = False

    def effect(self, offer: Offer) -> Effect:
        """Return the stricter of what the offer and the skill say of running it twice."""
        return max(offer.effect, self._effects[offer.skill], key=_STRICTNESS.index)

    def heeds(self, hint: Prefetch, reply_to: str, archive: Archive) -> bool:
        """Tell whether an offer of this skill by the same caller would be looked at."""
        run = archive.runs.get(hint.run)
        return (
            not self.draining
            and hint.skill in self._effects
            and self._permits(reply_to, hint.skill)
            and (run is None or hint.epoch >= run.epoch)
        )

    def refusal(self, offer: Offer, reply_to: str, archive: Archive, live: int) -> Outcome | None:
        """Say why the offer is not taken while `live` attempts run; None if it is."""
        floor = archive.runs[offer.run].floor
        if offer.token and (offer.epoch, offer.token) <= floor:
            return Rejected("too late: newer attempts of its run are done and forgotten")
        if offer.skill not in self._effects:
            known = ", ".join(self._effects) or "none"
            return Failed(FailureKind.BAD_INPUT, f"no skill {offer.skill!r} here, only {known}")
        reasons = (
            (self.draining, "draining: the device takes no new work"),
            (not self._permits(reply_to, offer.skill), f"policy: not {offer.skill!r} for you"),
            (live >= self._slots, f"busy: {live} of {self._slots} slots are in use"),
            (archive.full, f"busy: {RESULTS_KEPT} results wait for their acknowledgement"),
        )
        return next((Rejected(reason) for applies, reason in reasons if applies), None)
