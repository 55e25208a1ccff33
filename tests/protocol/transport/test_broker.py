"""mosquitto as a child: it starts, restarts, dies, and says why it cannot."""

import asyncio
import errno
import socket

import pytest

from protocol.transport import Message, broker
from protocol.transport.broker import BrokerError, BrokerProcess
from protocol.transport.mqtt import MqttSettings, MqttTransport
from tests.support.peers import RecordingPeer, connected

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("installed_mosquitto")]
KEPT = Message("home/door", b"open", retain=True)


def client(port):
    settings = MqttSettings("laptop", port=port, backoff_s=(0.01, 0.05))
    return MqttTransport(settings, first_connect="raise")


async def kept_after_restart(running):
    peer = RecordingPeer("home/door")
    transport = client(running.port)
    async with connected(transport, peer):
        transport.publish(KEPT)
        await peer.got(1)
        await running.restart()
        await peer.until(lambda: peer.connections == 2)
        transport.publish(Message("home/door", b"end"))
        await peer.until(lambda: peer.payloads[-1] == b"end")
    return peer.payloads[1:-1]


async def test_restarted_broker_is_empty_at_the_same_port():
    async with BrokerProcess() as running:
        assert await kept_after_restart(running) == []


async def test_persistent_broker_keeps_retained_messages_over_a_restart():
    async with BrokerProcess(persistence=True) as running:
        assert await kept_after_restart(running) == [KEPT.payload]


async def test_killed_broker_is_gone_until_it_is_restarted():
    async with BrokerProcess() as running:
        await running.kill()
        await running.kill()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(running.host, running.port)
        await running.restart()
        async with connected(client(running.port), RecordingPeer()):
            pass


async def test_broker_that_somebody_else_ends_is_reported_lost():
    with pytest.raises(BrokerError, match=r"mosquitto on 127\.0\.0\.1:\d+ has ended"):
        await BrokerProcess().lost()
    async with BrokerProcess() as running:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await running.lost()
        running._process.kill()
        with pytest.raises(BrokerError, match=f"{running.port} has ended; start it again"):
            await running.lost()


async def test_broker_is_gone_with_its_context():
    async with BrokerProcess() as running:
        pass

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(running.host, running.port)


async def test_taken_port_is_named():
    async with BrokerProcess() as running:
        with pytest.raises(BrokerError, match=rf"^port {running.port} of 127\.0\.0\.1 is in use"):
            async with BrokerProcess(running.port):
                pass


async def test_bad_line_of_the_configuration_is_named_with_what_mosquitto_said():
    with pytest.raises(BrokerError, match=r"(?s)did not start on 127\.0\.0\.1:\d+:\n.*nonsense"):
        async with BrokerProcess(extra=["nonsense 1"]):
            pass


async def test_missing_mosquitto_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker, "SEARCHED", ())
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        async with BrokerProcess():
            pass


def script(tmp_path, monkeypatch, text):
    """Put a program in mosquitto's place."""
    program = tmp_path / "mosquitto"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


async def test_broker_that_ends_without_a_word_is_reported(tmp_path, monkeypatch):
    script(tmp_path, monkeypatch, "exit 3")
    with pytest.raises(BrokerError, match="said nothing"):
        async with BrokerProcess():
            pass


async def test_broker_that_never_gets_ready_is_given_up(tmp_path, monkeypatch):
    script(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(broker, "START_LIMIT_S", 0.05)
    with pytest.raises(BrokerError, match=r"not ready within 0\.05 s"):
        async with BrokerProcess():
            pass


async def test_broker_that_does_not_want_to_stop_is_killed(tmp_path, monkeypatch):
    script(tmp_path, monkeypatch, "trap '' TERM; echo running >&2\nwhile :; do sleep 0.01; done")
    monkeypatch.setattr(broker, "READY", b"running")
    monkeypatch.setattr(broker, "STOP_LIMIT_S", 0.05)
    async with BrokerProcess():
        pass


def test_ordinary_user_is_not_asked_to_be_root(monkeypatch, tmp_path):
    monkeypatch.setattr(broker.os, "geteuid", lambda: 1000)
    running = BrokerProcess(port=1)

    assert "user root" not in running.configuration(tmp_path)


async def test_port_that_may_not_be_had_is_left_to_mosquitto_to_tell(monkeypatch):
    monkeypatch.setattr(broker.socket.socket, "bind", _forbidden)
    async with BrokerProcess(broker.PORTS.start - 1):
        pass


def _forbidden(*_):
    raise PermissionError(errno.EACCES, "for root only")


def test_no_free_port_is_said(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(broker, "PORTS", range(port, port + 1))
        with pytest.raises(BrokerError, match="no free port"):
            BrokerProcess()
