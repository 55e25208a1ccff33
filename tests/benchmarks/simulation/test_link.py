import asyncio

import pytest

from benchmarks.simulation.link import Access
from benchmarks.simulation.party import Party, WorldLoop
from protocol.errors import NotConnectedError
from protocol.transport import Message
from protocol.transport.faults import NetworkFault
from protocol.transport.memory import MemoryBroker


class Peer:
    def __init__(self, bug=None):
        self.heard = []
        self._bug = bug

    def will(self):
        return None

    def filters(self):
        return ("t",)

    def connected(self):
        self.heard.append("connected")

    def disconnected(self, reason):
        self.heard.append(reason)

    def received(self, message):
        if self._bug:
            raise self._bug
        self.heard.append(message.payload)


def run(body, *, bug=None):
    async def main():
        broker, party, met = MemoryBroker(reconnect_s=0.1), Party("one"), []
        access = Access(
            party, broker, client_id="one", seed="s", told=lambda _, fault: met.append(fault)
        )
        peer, link = Peer(bug), access.connect()
        running = asyncio.get_running_loop().create_task(link.run(peer))
        await asyncio.sleep(0.01)
        try:
            await body(access, link, peer, met)
            if bug:
                await running
        finally:
            running.cancel()

    with asyncio.Runner(loop_factory=WorldLoop) as runner:
        runner.run(main())


def test_frozen_party_hears_late_and_in_order():
    async def body(access, link, peer, _met):
        access.party.freeze()
        link.publish(Message("t", b"1"))
        link.publish(Message("t", b"2"))
        await asyncio.sleep(1)
        assert peer.heard == ["connected"]
        access.party.thaw()
        await asyncio.sleep(0.01)
        assert peer.heard == ["connected", b"1", b"2"]

    run(body)


def test_dead_process_neither_says_nor_hears():
    async def body(access, link, peer, _met):
        access.party.freeze()
        link.publish(Message("t", b"1"))
        await asyncio.sleep(0.01)
        link.dead = True
        access.party.thaw()
        await asyncio.sleep(0.01)
        assert peer.heard == ["connected"]
        with pytest.raises(NotConnectedError):
            link.publish(Message("t", b"2"))

    run(body)


def test_what_a_thawed_peer_raises_ends_its_connection():
    async def body(access, link, _peer, _met):
        access.party.freeze()
        link.publish(Message("t", b"1"))
        await asyncio.sleep(0.01)
        access.party.thaw()

    with pytest.raises(ValueError, match="a bug"):
        run(body, bug=ValueError("a bug"))


def test_what_a_place_suffers_outlives_its_connections():
    async def body(access, _link, _peer, met):
        access.suffer(drop=1.0)
        access.cut(off=True)
        again = Access(
            Party("next"),
            MemoryBroker(),
            client_id="one",
            seed="s",
            told=lambda _, fault: met.append(fault),
        )
        again.follow(access)
        link = again.connect()
        assert link.network.partitioned
        again.cut(off=False)
        assert not link.network.partitioned
        assert again.plan.drop == 1.0
        access.cut(off=False)
        access.link.publish(Message("t", b"1"))
        assert met == [NetworkFault.DROP]

    run(body)
