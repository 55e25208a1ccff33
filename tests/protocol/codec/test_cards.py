import json
from dataclasses import replace

import pytest

from protocol.codec import (
    Announcement,
    clear_card,
    decode_card,
    decode_event,
    encode_card,
    encode_heartbeat,
)
from protocol.codec.cards import MAX_CARD_BYTES
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.topics import discovery, event
from protocol.transport import Message
from protocol.types import DeviceCard, Effect, SkillInfo
from tests.protocol.examples import CARD, COORDINATOR, HEARTBEAT, LAPTOP


def announced(body, properties=()):
    return decode_card(
        Message(discovery(LAPTOP), json.dumps(body).encode(), properties=properties)
    )


def test_a_foreign_card_is_a_device_with_once_skills():
    announcement = announced(
        {
            "name": "Echo",
            "capabilities": {"extensions": [{"uri": "urn:other"}]},
            "skills": [{"id": "echo", "name": "Echo", "description": "Says it back"}],
        },
        (("a2a-status", "offline"), ("a2a-status-source", "lwt")),
    )

    skill = SkillInfo("echo", "Says it back", effect=Effect.ONCE)
    card = DeviceCard("laptop", "Echo", skills=(skill,), extension=False)
    assert announcement == Announcement(LAPTOP, card, "offline", "lwt", streaming=False)


def test_a_card_that_declares_the_extension_alone_gets_defaults():
    uri = "urn:muster:a2a:execution:1"

    card = announced({"name": "x", "capabilities": {"extensions": [{"uri": uri}]}}).card

    assert card == DeviceCard("laptop", "x")


def test_bad_parameters_of_our_extension_name_their_place():
    extension = {"uri": "urn:muster:a2a:execution:1", "params": {"slots": "many"}}

    with pytest.raises(RemoteProtocolError, match="the extension's parameters: slots"):
        announced({"name": "x", "capabilities": {"extensions": [extension]}})


def test_a_card_without_the_extension_declares_none():
    plain = replace(CARD, extension=False)

    body = json.loads(encode_card(plain, address=LAPTOP).payload)

    assert "extensions" not in body["capabilities"]


def test_a_card_cannot_be_published_for_another_device():
    with pytest.raises(LocalProtocolError, match="does not belong to acme/lab/coordinator"):
        encode_card(CARD, address=COORDINATOR)


def test_a_cleared_card_unregisters_its_agent():
    assert decode_card(clear_card(LAPTOP)) == Announcement(LAPTOP, None, "offline", "")


def test_a_card_on_a_topic_of_another_kind_is_refused():
    with pytest.raises(RemoteProtocolError, match="not a topic for discovery"):
        decode_card(Message(event(LAPTOP), b"{}"))


@pytest.mark.parametrize("payload", [b"{}", b'{"method": "other/thing", "params": 7}'])
def test_an_event_that_is_not_ours_is_passed_over(payload):
    assert decode_event(Message(event(LAPTOP), payload)) is None


def test_a_heartbeat_cannot_be_published_for_another_device():
    with pytest.raises(LocalProtocolError, match="cannot come from acme/lab/coordinator"):
        encode_heartbeat(HEARTBEAT, COORDINATOR)


def test_a_heartbeat_in_another_devices_name_is_refused():
    forged = encode_heartbeat(HEARTBEAT, LAPTOP)

    with pytest.raises(RemoteProtocolError, match="in the name of 'laptop'"):
        decode_event(replace(forged, topic=event(COORDINATOR)))


def test_an_event_on_a_topic_that_is_not_ours_is_refused():
    with pytest.raises(RemoteProtocolError, match="not a topic for event"):
        decode_event(Message("elsewhere", b"{}"))


def test_a_card_that_is_too_large_is_neither_sent_nor_kept():
    large = replace(CARD, skills=(SkillInfo("talk", "x" * MAX_CARD_BYTES),))
    with pytest.raises(LocalProtocolError, match="fewer skills"):
        encode_card(large, address=LAPTOP)
    padded = encode_card(CARD, address=LAPTOP).payload + b" " * MAX_CARD_BYTES
    with pytest.raises(RemoteProtocolError, match="at most"):
        decode_card(Message(discovery(LAPTOP), padded))


@pytest.mark.parametrize("speed", [0.0, 1e-320, 1e308])
def test_a_speed_that_no_estimate_survives_is_refused(speed):
    message = encode_card(replace(CARD, speed=speed), address=LAPTOP)
    with pytest.raises(RemoteProtocolError, match="speed"):
        decode_card(message)
