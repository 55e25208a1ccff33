"""At least once in, effect once out: what a receiver remembers of its senders.

MQTT repeats messages; what they start must not be. The inbox spares a receiver the repeats that
come close together. It is bounded, so it may forget: of each sender the oldest key, of all senders
the one silent for longest. What must never happen twice is therefore guarded by the durable ledger
or journal as well; the inbox only makes that rare.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

KEYS_PER_SENDER: Final = 1024  # 64 times the credit window of a device
SENDERS: Final = 4096


@dataclass(slots=True)
class _Sender:
    keys: OrderedDict[Hashable, None] = field(default_factory=OrderedDict)
    malformed: int = 0


class Inbox:
    """Recent keys and malformed messages by sender. Every call costs O(1)."""

    def __init__(self, *, keys_per_sender: int = KEYS_PER_SENDER, senders: int = SENDERS) -> None:
        self._keys_per_sender = keys_per_sender
        self._senders_kept = senders
        self._senders: OrderedDict[str, _Sender] = OrderedDict()

    def seen(self, sender: str, key: Hashable) -> bool:
        """Tell whether this is a repeat, and remember the key: a correlation or a message's id."""
        keys = self._sender(sender).keys
        if key in keys:
            return True
        keys[key] = None
        if len(keys) > self._keys_per_sender:
            keys.popitem(last=False)
        return False

    def malformed(self, sender: str) -> bool:
        """Count a message that made no sense; true for the sender's first: log that one."""
        known = self._sender(sender)
        known.malformed += 1
        return known.malformed == 1

    def malformed_counts(self) -> Mapping[str, int]:
        """Return how many messages of each remembered sender made no sense."""
        return {name: known.malformed for name, known in self._senders.items() if known.malformed}

    def _sender(self, name: str) -> _Sender:
        known = self._senders.get(name)
        if known is None:
            known = self._senders[name] = _Sender()
            if len(self._senders) > self._senders_kept:
                self._senders.popitem(last=False)
        else:
            self._senders.move_to_end(name)
        return known
