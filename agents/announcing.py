"""Which heartbeats ask for a hello, and which say the card again. Pure, like `session`.

A card may be lost like any other message. Whoever misses it takes no notice of heartbeats, and
nothing says so. But a coordinator says hello to whomever asks for one, if it has a card of theirs,
and to nobody else. So from each connection on every heartbeat asks, until a hello comes; and the
card goes with the first one, the second, the fourth, the eighth, … for as long. After that nothing
is repeated. Where no coordinator is, that settles at a card a minute.

What a hello cannot show: that this is the newest card, where its sender had an older one; and that
every coordinator has it, where there are several. Whoever connects finds it with the broker.
"""

from typing import Final

SELDOM: Final = 32  # heartbeats: about a minute


class Announcing:
    """What one device says of itself until it is known."""

    def __init__(self) -> None:
        self.known = False
        """A hello came on this connection."""
        self._beats = 0

    def connected(self) -> None:
        """Begin anew: whatever was said before may be lost."""
        self.known, self._beats = False, 0

    def beat(self) -> bool:
        """Count a heartbeat; return whether the card goes with it."""
        if self.known:
            return False
        self._beats += 1
        return self._beats.bit_count() == 1 or self._beats % SELDOM == 0
