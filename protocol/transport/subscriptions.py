"""Who gets a message on a topic: the in-memory broker's routing table.

Filters without wildcards are found by their topic; those with wildcards are compared once a topic
and the answer is kept until a wildcard subscription changes.
"""

from collections import deque
from typing import Generic, Protocol, TypeVar

from protocol.transport import Message
from protocol.transport.filters import is_shared, matches, without_share

MAX_ROUTES = 10_000  # reply topics may be new for every request; a dropped route is found again


class Receiver(Protocol):
    """Where a matching message goes."""

    def receive(self, message: Message) -> None:
        """Take one message."""


R = TypeVar("R", bound=Receiver)


class _Group(Generic[R]):
    """One shared subscription: each message goes to the next of its members."""

    def __init__(self) -> None:
        self.members: deque[R] = deque()

    def receive(self, message: Message) -> None:
        self.members[0].receive(message)
        self.members.rotate(-1)


class Subscriptions(Generic[R]):
    """Filters and their receivers, in the order in which they subscribed.

    `routes` holds the receivers of the topics seen lately. Read it first on a hot path and call
    `find` for what it lacks.
    """

    def __init__(self) -> None:
        self.routes: dict[str, tuple[R | _Group[R], ...]] = {}
        self._receivers: dict[str, list[R | _Group[R]]] = {}
        self._wildcards: dict[str, None] = {}
        self._groups: dict[str, _Group[R]] = {}

    def add(self, topic_filter: str, receiver: R) -> None:
        """Subscribe `receiver` to a filter or shared filter."""
        if not is_shared(topic_filter):
            self._add(topic_filter, receiver)
            return
        group = self._groups.get(topic_filter)
        if group is None:
            group = self._groups[topic_filter] = _Group()
            self._add(without_share(topic_filter), group)
        group.members.append(receiver)

    def remove(self, topic_filter: str, receiver: R) -> None:
        """Undo one `add`."""
        if not is_shared(topic_filter):
            self._remove(topic_filter, receiver)
            return
        group = self._groups[topic_filter]
        group.members.remove(receiver)
        if not group.members:
            del self._groups[topic_filter]
            self._remove(without_share(topic_filter), group)

    def find(self, topic: str) -> tuple[R | _Group[R], ...]:
        """Return who receives `topic`, in O(wildcard filters), and remember it in `routes`."""
        if len(self.routes) >= MAX_ROUTES:
            self.routes.clear()
        found = self._receivers.get(topic, [])[:]
        for wildcard in self._wildcards:
            if matches(wildcard, topic):
                found += self._receivers[wildcard]
        self.routes[topic] = route = tuple(found)
        return route

    def _add(self, topic_filter: str, receiver: R | _Group[R]) -> None:
        if "+" in topic_filter or "#" in topic_filter:
            self._wildcards[topic_filter] = None
        self._receivers.setdefault(topic_filter, []).append(receiver)
        self._forget(topic_filter)

    def _remove(self, topic_filter: str, receiver: R | _Group[R]) -> None:
        receivers = self._receivers[topic_filter]
        receivers.remove(receiver)
        self._forget(topic_filter)
        if not receivers:
            del self._receivers[topic_filter]
            self._wildcards.pop(topic_filter, None)

    def _forget(self, topic_filter: str) -> None:
        if topic_filter in self._wildcards:
            self.routes.clear()
        else:
            self.routes.pop(topic_filter, None)
