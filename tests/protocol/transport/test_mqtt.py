"""What the MQTT transport does beyond the contract: logins, TLS, dead brokers, errors."""

import asyncio
import base64
import contextlib
import gc
import hashlib
import random
from pathlib import Path

import aiomqtt.exceptions
import pytest
from aiomqtt import MqttError

from protocol.errors import RefusedLoginError, TransportError, UnreachableError
from protocol.transport import Message, mqtt
from protocol.transport.broker import BrokerProcess
from protocol.transport.mqtt import MEANING, MqttSettings, MqttTransport
from tests.support.peers import RecordingPeer, connected
from tests.support.wire import Wire

pytestmark = pytest.mark.broker
needs_mosquitto = pytest.mark.usefixtures("installed_mosquitto")

CERT = Path(__file__).parents[2] / "support/tls/cert.pem"
KEY = CERT.with_name("key.pem")
SHORT_S = 0.4  # for brokers that never answer; others get all the time they need
HELLO = Message("home/door", b"open")
CONNACK, SUBACK = 0x20, 0x90
CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8
WELCOME = {CONNECT: lambda _: bytes((CONNACK, 3, 0, 0, 0))}


@contextlib.asynccontextmanager
async def scripted(answers):
    """A broker that knows some kinds of packet and answers each with the given bytes."""

    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        while packet := await reader.read(4096):
            answer = answers.get(packet[0] >> 4, lambda _: b"")
            writer.write(answer(packet))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # the sockets close in the next turn


def transport_to(port, *, client_id="laptop", first_connect="raise", **settings):
    settings = MqttSettings(client_id, port=port, **settings)
    return MqttTransport(settings, first_connect=first_connect)


async def test_unreachable_broker_is_one_clear_error():
    async with scripted({}) as port:
        pass

    with pytest.raises(UnreachableError, match=rf"no MQTT broker answers at 127\.0\.0\.1:{port}"):
        await transport_to(port).run(RecordingPeer())


async def test_broker_that_says_nothing_is_unreachable():
    async with scripted({}) as port:
        with pytest.raises(UnreachableError, match="timed out"):
            await transport_to(port, timeout_s=SHORT_S).run(RecordingPeer())


async def test_broker_that_ignores_a_subscription_is_unreachable():
    async with scripted(WELCOME) as port:
        with pytest.raises(UnreachableError, match="timed out"):
            await transport_to(port, timeout_s=SHORT_S).run(RecordingPeer("home/#"))


@pytest.mark.parametrize(
    ("reason", "error"),
    [(0x87, RefusedLoginError), (0x85, RefusedLoginError), (0x88, UnreachableError)],
)
async def test_refusal_is_final_unless_it_passes_by_itself(reason, error):
    async with scripted({CONNECT: lambda _: bytes((CONNACK, 3, 0, reason, 0))}) as port:
        with pytest.raises(error, match=f"127.0.0.1:{port}"):
            await transport_to(port).run(RecordingPeer())


async def test_refused_subscription_names_the_filter():
    def refuse(packet):
        return bytes((SUBACK, 4, *packet[2:4], 0, 0x87))

    async with scripted({**WELCOME, SUBSCRIBE: refuse}) as port:
        with pytest.raises(RefusedLoginError, match="laptop read home/#: Not authorized"):
            await transport_to(port, first_connect="retry").run(RecordingPeer("home/#"))


async def test_message_without_an_answer_ends_the_connection():
    async with scripted(WELCOME) as port:
        transport, peer = (
            transport_to(port, timeout_s=SHORT_S, backoff_s=(0.001, 0.001)),
            RecordingPeer(),
        )
        async with connected(transport, peer):
            for _ in range(50):  # more than may be under way at once
                transport.publish(HELLO)
            await transport.flush()
            await peer.until(lambda: peer.connections == 2)

    assert peer.reasons == [f"127.0.0.1:{port} did not acknowledge a message"]


@needs_mosquitto
async def test_lost_connection_is_made_again_even_if_the_first_had_to_work():
    async with BrokerProcess() as broker, Wire(broker.port) as wire:
        transport, peer = transport_to(wire.port, backoff_s=(0.01, 0.01)), RecordingPeer()
        async with connected(transport, peer):
            wire.cut()
            await peer.until(lambda: peer.connections == 2)


async def test_second_client_of_the_same_id_takes_over(mosquitto):
    first, second = RecordingPeer(), RecordingPeer()
    slow = {"client_id": "same", "backoff_s": (60.0, 60.0)}
    async with (
        connected(transport_to(mosquitto.port, **slow), first),
        connected(transport_to(mosquitto.port, **slow), second),
    ):
        await first.until(lambda: first.reasons)

    assert first.connections == 1


async def test_two_clients_of_one_id_throw_each_other_out_ever_more_rarely(mosquitto, monkeypatch):
    monkeypatch.setattr(mqtt, "BRIEF_AT_MOST", 2)
    first, second = RecordingPeer(), RecordingPeer()
    quick = {"client_id": "same", "backoff_s": (0.01, 60.0)}
    async with (
        connected(transport_to(mosquitto.port, **quick), first),
        connected(transport_to(mosquitto.port, **quick), second),
    ):
        await first.until(lambda: len(first.reasons) > 2)
        await asyncio.sleep(1.0)

    assert first.reasons[2].endswith("; does another client call itself same too?")
    assert first.connections < 12  # as the pauses double; otherwise some 100


async def test_cancelled_while_connecting_leaves_no_connection_behind(mosquitto):
    async with Wire(mosquitto.port) as wire:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(transport_to(wire.port).run(RecordingPeer()))
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # now the thread connects
            running.cancel()
        async with asyncio.timeout(5):
            await wire.idle.wait()

    assert wire.carried == 1


async def test_cancelled_while_the_broker_says_nothing_ends():
    async with scripted({}) as port, asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(transport_to(port, timeout_s=SHORT_S).run(RecordingPeer()))
        await asyncio.sleep(0.05)
        running.cancel()

    assert running.cancelled()


@needs_mosquitto
async def test_stopping_on_a_dead_connection_ends():
    async with BrokerProcess() as broker, Wire(broker.port) as wire:
        transport, peer = transport_to(wire.port), RecordingPeer()
        async with asyncio.timeout(5), connected(transport, peer) as running:
            wire.silent = True
            transport.publish(HELLO)
            await asyncio.sleep(0)

    assert running.cancelled()


@needs_mosquitto
async def test_password_opens_and_the_lack_of_it_is_refused(tmp_path):
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", b"secret", salt, 101)
    fields = "7", "101", base64.b64encode(salt).decode(), base64.b64encode(digest).decode()
    passwords = tmp_path / "passwords"
    passwords.write_text(f"laptop:${'$'.join(fields)}\n")
    extra = ("allow_anonymous false", f"password_file {passwords}")
    async with BrokerProcess(extra=extra) as broker:
        known = {"username": "laptop", "password": "secret"}
        async with connected(transport_to(broker.port, **known), RecordingPeer()):
            pass
        with pytest.raises(RefusedLoginError, match=r"refuses laptop: .*Not authorized"):
            await transport_to(broker.port, first_connect="retry").run(RecordingPeer())


@needs_mosquitto
async def test_certificates_are_shown_and_checked():
    files = f"cafile {CERT}", f"certfile {CERT}", f"keyfile {KEY}", "require_certificate true"
    async with BrokerProcess(extra=files) as broker:
        ours = {"cert_file": CERT, "key_file": KEY}
        peer = RecordingPeer("home/door")
        transport = transport_to(broker.port, ca_file=CERT, **ours)
        async with connected(transport, peer):
            transport.publish(HELLO)
            await peer.got(1)


@pytest.mark.filterwarnings("ignore:unclosed.*SSLSocket")  # paho leaves it to the collector
@needs_mosquitto
async def test_broker_with_a_certificate_we_do_not_trust_is_unreachable():
    async with BrokerProcess(extra=(f"certfile {CERT}", f"keyfile {KEY}")) as broker:
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            await transport_to(broker.port, tls=True).run(RecordingPeer())
        gc.collect()


async def test_missing_tls_file_is_named():
    with pytest.raises(TransportError, match="cannot use the TLS files no-such-file"):
        await transport_to(1, ca_file=Path("no-such-file")).run(RecordingPeer())


def test_every_error_of_aiomqtt_has_a_meaning():
    found = {
        each
        for each in vars(aiomqtt.exceptions).values()
        if isinstance(each, type) and issubclass(each, Exception)
    }

    assert found == set(MEANING)
    assert all(issubclass(each, MqttError) for each in found)


@pytest.mark.parametrize(
    ("host", "port"), [("", 1883), ("a" * 64, 1883), ("broker", 0), ("broker", 65_536)]
)
def test_settings_refuse_what_is_no_address(host, port):
    with pytest.raises(ValueError, match="is not a"):
        MqttSettings("laptop", host=host, port=port)


def test_settings_do_not_show_the_password():
    word = "s3cret"

    assert word not in repr(MqttSettings("laptop", password=word))


async def test_pauses_double_up_to_the_longest_with_jitter(monkeypatch):
    pauses = []

    async def sleep(pause_s):
        pauses.append(pause_s)
        if len(pauses) == 6:
            raise asyncio.CancelledError

    async with scripted({}) as port:
        pass
    settings = MqttSettings("laptop", port=port, backoff_s=(1.0, 10.0))
    peer = RecordingPeer()
    transport = MqttTransport(settings, rng=random.Random(1))
    monkeypatch.setattr("protocol.transport.mqtt.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await transport.run(peer)

    longest = [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert all(most / 2 <= pause_s <= most for pause_s, most in zip(pauses, longest, strict=True))
    assert len({pause_s / most for pause_s, most in zip(pauses, longest, strict=True)}) == 6
    assert len(peer.reasons) == 1
