import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import topics
from protocol.errors import LocalProtocolError
from protocol.topics import Address, Kind, Topic

ids = st.from_regex(r"[A-Za-z0-9_.-]+", fullmatch=True)
addresses = st.builds(Address, ids, ids, ids)
BAD_IDS = ["", "a/b", "a+", "#", "a b", "é", "a\n"]


@given(addresses)
def test_a_built_topic_parses_back_to_its_address(address):
    built = {
        Kind.DISCOVERY: topics.discovery(address),
        Kind.REQUEST: topics.request(address),
        Kind.EVENT: topics.event(address),
    }

    assert {kind: topics.parse(text) for kind, text in built.items()} == {
        kind: Topic(kind, address) for kind in built
    }


@given(addresses, ids)
def test_a_reply_topic_parses_back_to_its_address_and_suffix(address, suffix):
    topic = topics.parse(topics.reply(address, suffix))

    assert topic == Topic(Kind.REPLY, address, suffix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$a2a/v1/request/a/b",
        "$a2a/v1/request/a/b/c/d",
        "$a2a/v1/request/a/b/pool/p",
        "$a2a/v1/reply/a/b/c",
        "$a2a/v1/other/a/b/c",
        "$a2a/v2/request/a/b/c",
        "$a2a/v1/request/a/b/+",
        "$a2a/v1/request/a/b/c\n",
        "x$a2a/v1/request/a/b/c",
    ],
)
def test_a_topic_of_another_shape_is_not_ours(text):
    assert topics.parse(text) is None


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_address_with_a_bad_identifier_is_refused(bad):
    with pytest.raises(LocalProtocolError, match="only letters"):
        Address("acme", "lab", bad)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a_reply_suffix_that_is_no_identifier_is_refused(bad):
    with pytest.raises(LocalProtocolError, match="only letters"):
        topics.reply(Address("acme", "lab", "laptop"), bad)


@given(addresses)
def test_an_address_reads_back_from_its_text(address):
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "laptop", "a/b", "a/b/c/d"])
def test_an_address_of_other_than_three_parts_is_refused(text):
    with pytest.raises(LocalProtocolError, match="write org/unit/agent"):
        Address.parse(text)


def test_filters_are_scoped_as_asked():
    assert topics.discovery_filter() == "$a2a/v1/discovery/+/+/+"
    assert topics.discovery_filter("acme", "lab") == "$a2a/v1/discovery/acme/lab/+"
    assert topics.event_filter("acme") == "$a2a/v1/event/acme/+/+"
    assert topics.reply_filter(Address("a", "b", "c")) == "$a2a/v1/reply/a/b/c/+"
