"""Who of the fleet is there, on networks that lose messages.

A device says who it is once, when it connects. Where that word is lost, its heartbeats tell: the
coordinator too takes those of a device that it knows.
"""

from benchmarks.roll_call import RollCall
from protocol import topics
from protocol.transport import Message


class Presence(RollCall):
    """A roll call that hears heartbeats beside cards."""

    def filters(self) -> tuple[str, ...]:
        """Listen to both."""
        return (*super().filters(), topics.event_filter())

    def received(self, message: Message) -> None:
        """Take a card or a heartbeat."""
        topic = topics.parse(message.topic)
        if topic is None or topic.kind is not topics.Kind.EVENT:
            super().received(message)
            return
        self.online.add(topic.address.agent)
        self._news.set()
