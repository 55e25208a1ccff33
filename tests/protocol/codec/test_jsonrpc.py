import math
from collections import UserDict
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter

from protocol.codec.jsonrpc import MAX_PAYLOAD_BYTES, ErrorCode, RequestError, dump, load
from protocol.errors import LocalProtocolError, RemoteProtocolError

ANYTHING = TypeAdapter(JsonValue)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), "\ud800", object(), b"\xff"],
    ids=["nan", "infinity", "surrogate", "object", "bytes"],
)
def test_what_json_cannot_say_is_our_error(value):
    with pytest.raises(LocalProtocolError, match="JSON cannot say this"):
        dump({"output": value})


def test_a_value_nested_in_itself_is_our_error():
    value = []
    value.append(value)

    with pytest.raises(LocalProtocolError, match="JSON cannot say this"):
        dump(value)


def test_a_message_over_the_bound_is_our_error():
    with pytest.raises(LocalProtocolError, match="do not fit"):
        dump("x" * MAX_PAYLOAD_BYTES)


@pytest.mark.parametrize("mapping", [MappingProxyType({"a": 1}), UserDict(a=1)])
def test_any_mapping_is_written_as_an_object(mapping):
    assert dump(mapping) == b'{"a":1}'


def test_a_string_that_says_nan_is_a_string():
    assert load(ANYTHING, dump(["NaN", "-Infinity"])) == ["NaN", "-Infinity"]


@pytest.mark.parametrize("payload", [b"[NaN]", b"[1e999]", b"[-1e999]", b"1" * 400 + b".0"])
def test_a_number_without_a_value_is_refused(payload):
    with pytest.raises(RemoteProtocolError, match="a number without a value"):
        load(ANYTHING, payload)


@given(
    st.from_regex(r"-?[1-9][0-9]{0,3}(\.[0-9]{1,3})?", fullmatch=True),
    st.integers(0, 400),
    st.sampled_from(["", "e", "E", "e+", "E-"]),
    st.integers(0, 400),
)
@example("1", 215, "e", 99)
@example("1", 0, "E+", 400)
def test_a_number_is_refused_exactly_when_it_overflows(number, zeros, exponent, power):
    number += "" if "." in number else "0" * zeros + ".0"
    number += f"{exponent}{power}" if exponent else ""
    payload = f"[{number}]".encode()

    if math.isinf(float(number)):
        with pytest.raises(RemoteProtocolError, match="a number without a value"):
            load(ANYTHING, payload)
    else:
        assert load(ANYTHING, payload) == [float(number)]


def test_the_complaint_about_a_nested_field_names_its_place():
    with pytest.raises(RemoteProtocolError, match=r"^1: Input should be a valid integer"):
        load(TypeAdapter(list[int]), b'[1, "x"]')


def test_a_complaint_is_short_however_long_their_bytes_are():
    with pytest.raises(RemoteProtocolError) as caught:
        load(TypeAdapter(dict[str, int]), dump({"x" * 10_000: "no"}))

    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("code", "number", "name"),
    [
        (ErrorCode.TASK_NOT_FOUND, -32001, ""),
        (ErrorCode.UNSUPPORTED_OPERATION, -32004, ""),
        (ErrorCode.RESPONDER_UNAVAILABLE, -32004, "responder_unavailable"),
    ],
)
def test_codes_that_collide_are_told_apart_by_name(code, number, name):
    refused = code.refused("why", request_id=7)

    assert (refused.request_id, refused.code, refused.name) == ("7", number, name)


def test_a_request_error_carries_the_answer_that_is_owed():
    error = RequestError(ErrorCode.PARSE_ERROR, "not JSON", request_id=None)

    assert error.refused == ErrorCode.PARSE_ERROR.refused("not JSON")
