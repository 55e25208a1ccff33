"""The in-memory broker's routing table, where the contract does not reach."""

import pytest

from protocol.errors import LocalProtocolError
from protocol.transport import Message, subscriptions
from protocol.transport.filters import MAX_PAYLOAD_BYTES, check_publishable, matches
from protocol.transport.subscriptions import Subscriptions


class Seat:
    def receive(self, message):
        pass


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("a/+/c", "a/b/d", False),
        ("+/+", "/b", True),
        ("a/#", "a", True),
        ("a/b/#", "a", False),
        ("#", "a/b", True),
        ("#", "$a", False),
        ("+/b", "$a/b", False),
        ("$a/+", "$a/b", True),
    ],
)
def test_filter_matches_by_section_4_7(topic_filter, topic, expected):
    assert matches(topic_filter, topic) is expected


def test_remembered_route_follows_every_change():
    table, first, second, third = Subscriptions(), Seat(), Seat(), Seat()
    table.add("a/b", first)
    assert table.find("a/b") == (first,)
    table.add("a/b", second)
    table.add("a/+", third)
    assert table.find("a/b") == (first, second, third)
    assert table.routes["a/b"] == (first, second, third)
    table.remove("a/+", third)
    table.remove("a/b", first)
    assert "a/b" not in table.routes
    assert table.find("a/b") == (second,)
    table.remove("a/b", second)
    assert table.find("a/b") == ()


def test_remembered_routes_are_bounded(monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_ROUTES", 3)
    table = Subscriptions()
    for number in range(10):
        table.find(f"a/{number}")

    assert len(table.routes) <= 3


def test_payload_beyond_the_largest_packet_is_refused():
    class Huge(bytes):
        def __len__(self):
            return MAX_PAYLOAD_BYTES + 1

    with pytest.raises(LocalProtocolError, match="cannot publish 268304386 bytes to 'home'"):
        check_publishable(Message("home", Huge()))
