"""MQTT inside one process: no sockets, no chance, the same order of events every time.

Theory of operation. Whatever reaches the broker (a message, a connection, a flush) joins one
queue, and a loop callback takes a bounded share of it and calls the receiving peers at once. So
the order is total, a reader sees a retained message before any later one on its topic, and no
peer is entered while it is inside `publish`. What a peer raises ends its own `run`, nobody else's.
"""

import asyncio
import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ParamSpec

from protocol.errors import NotConnectedError, QueueFullError
from protocol.transport import Message, Peer
from protocol.transport.filters import check_publishable, is_shared, matches
from protocol.transport.subscriptions import Subscriptions

BATCH = 32  # messages a callback: at 0.3 ms each in the peers, the loop is held under 10 ms
QUEUE_LIMIT = 20_000  # 16 credits for each of 1,000 devices, and room to spare
P = ParamSpec("P")
STOPPED = "the in-memory broker is stopped"


@dataclass(eq=False, slots=True)
class _Session:
    """One connection of one client."""

    client_id: str
    peer: Peer
    will: Message | None
    filters: tuple[str, ...]
    lost: asyncio.Future[str]
    """The reason why the connection ended, or what the peer raised."""
    open: bool = False
    last: Message | None = None

    def receive(self, message: Message) -> None:
        self.last = message
        self.tell(self.peer.received, message)

    def tell(self, method: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        if self.lost.done():
            return
        try:
            method(*args, **kwargs)
        except Exception as bug:  # noqa: BLE001 - raised again by this client's own `run`
            self.lost.set_exception(bug)


class MemoryBroker:
    """The broker, for the clients of one event loop. They come from `transport`.

    Args:
        queue_limit: how many messages may wait for delivery, over all clients; beyond it
            `publish` raises `QueueFullError`.
        reconnect_s: how long a client that lost its connection waits before it tries again.
    """

    def __init__(self, *, queue_limit: int = QUEUE_LIMIT, reconnect_s: float = 0.1) -> None:
        self.running = asyncio.Event()
        self.running.set()
        self.reconnect_s = reconnect_s
        self._queue_limit = queue_limit
        self._queue: deque[Message | Callable[[], None]] = deque()
        self._scheduled = False
        self._sessions: dict[str, _Session] = {}
        self._retained: dict[str, Message] = {}
        self._subscriptions: Subscriptions[_Session] = Subscriptions()

    def transport(self, client_id: str) -> "MemoryTransport":
        """Return a transport that connects as `client_id`; a later one of that id takes over."""
        return MemoryTransport(self, client_id)

    def kill(self, client_id: str) -> None:
        """Cut the client's connection, if it has one; its will is published and it reconnects."""
        if session := self._sessions.get(client_id):
            self.close(session, reason="the connection was cut")
            if session.will is not None:
                self._put(session.will)

    def redeliver(self, client_id: str) -> None:
        """Deliver once more what a connected client received last, as QoS 1 allows."""
        session = self._sessions[client_id]
        if (last := session.last) is not None:
            self._put(functools.partial(session.receive, last))

    def stop(self) -> None:
        """Die: connections, waiting and retained messages are gone; no will is published."""
        self.running.clear()
        self._retained.clear()
        for session in tuple(self._sessions.values()):
            self.close(session, reason=STOPPED)
        # What is not a message must still run: flushes end, connections see that it is too late.
        kept = [entry for entry in self._queue if not isinstance(entry, Message)]
        self._queue.clear()
        self._queue.extend(kept)

    def start(self) -> None:
        """Come back, empty; the clients reconnect."""
        self.running.set()

    def connect(self, session: _Session) -> None:
        """Accept a connection as soon as what came before it is delivered (for `run`)."""
        self._put(functools.partial(self._accept, session))

    def close(self, session: _Session, *, reason: str) -> None:
        """End a connection without its will (for `run`)."""
        if not session.lost.done():
            session.lost.set_result(reason)
        if session.open:
            session.open = False
            del self._sessions[session.client_id]
            for topic_filter in session.filters:
                self._subscriptions.remove(topic_filter, session)

    def publish(self, message: Message) -> None:
        """Queue one message (for the transports)."""
        if len(self._queue) >= self._queue_limit:
            raise QueueFullError(f"{self._queue_limit} messages wait in the in-memory broker")
        if message.topic not in self._subscriptions.routes:  # those have been checked
            check_publishable(message)
        self._put(message)

    async def flush(self) -> None:
        """Wait until all that is queued now was delivered or lost (for the transports)."""
        done = asyncio.Event()
        self._put(done.set)
        await done.wait()

    def _put(self, entry: Message | Callable[[], None]) -> None:
        self._queue.append(entry)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        queue, routes = self._queue, self._subscriptions.routes
        for _ in range(BATCH):
            if not queue:
                break
            entry = queue.popleft()
            if not isinstance(entry, Message):
                entry()
                continue
            message = self._retain(entry) if entry.retain else entry
            route = routes.get(message.topic)
            if route is None:
                route = self._subscriptions.find(message.topic)
            for receiver in route:
                receiver.receive(message)
        self._scheduled = bool(queue)
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._deliver)

    def _retain(self, message: Message) -> Message:
        if message.payload:
            self._retained[message.topic] = message
        else:
            self._retained.pop(message.topic, None)
        return replace(message, retain=False)  # for those who are subscribed already

    def _accept(self, session: _Session) -> None:
        if session.lost.done():
            return
        if not self.running.is_set():
            self.close(session, reason=STOPPED)
            return
        self.kill(session.client_id)
        session.open = True
        self._sessions[session.client_id] = session
        for topic_filter in session.filters:
            self._subscriptions.add(topic_filter, session)
        session.tell(session.peer.connected)
        for topic_filter in session.filters:
            for topic, message in self._retained.items():
                if not is_shared(topic_filter) and matches(topic_filter, topic):
                    session.receive(message)


class MemoryTransport:
    """A client of a `MemoryBroker`."""

    def __init__(self, broker: MemoryBroker, client_id: str) -> None:
        self._broker = broker
        self._client_id = client_id
        self._session: _Session | None = None

    async def run(self, peer: Peer) -> None:
        """Stay connected until cancelled; see `Transport`."""
        broker = self._broker
        while True:
            lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            session = _Session(self._client_id, peer, peer.will(), peer.filters(), lost)
            self._session = session
            broker.connect(session)
            try:
                reason = await lost
            finally:
                broker.close(session, reason="closed")
            peer.disconnected(reason)
            await asyncio.sleep(broker.reconnect_s)
            await broker.running.wait()

    def publish(self, message: Message) -> None:
        """Queue one message for its subscribers; see `Transport`."""
        if self._session is None or not self._session.open:
            raise NotConnectedError(f"{self._client_id} is not connected")
        self._broker.publish(message)

    async def flush(self) -> None:
        """Wait until what was published was delivered, or lost with the broker."""
        await self._broker.flush()
