import pytest

from protocol.chat.dialect import Dialect, Format, Limit, body, without
from protocol.chat.exchange import Call, Message

CALL = Call(
    (Message("system", "Plan."), Message("user", "Do it.")), "Plan", {"type": "object"}, 300
)

# What servers say, with what then is left out.
COMPLAINTS = [
    ("This response_format type is unavailable now", Dialect(Format.OBJECT)),
    (
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported here.",
        Dialect(Format.OBJECT),
    ),
    ("'response_format.type' must be 'json_object'", Dialect(Format.OBJECT)),
    ("Failed to parse grammar", Dialect(Format.OBJECT)),
    (
        "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        Dialect(limit=Limit.COMPLETION),
    ),
    ("stream_options: Extra inputs are not permitted", Dialect(counted=False)),
    ("Streaming is not supported", Dialect(stream=False)),
    ("Your organization must be verified to stream this model.", Dialect(stream=False)),
    (
        "'max_tokens' is too large: 9000. This model's maximum context length is 8192 tokens",
        None,
    ),
    ("upstream says no", None),
    ("", None),
]


@pytest.mark.parametrize(("complaint", "weaker"), COMPLAINTS)
def test_what_a_server_complains_about_is_left_out(complaint, weaker):
    assert without(Dialect(), complaint) == weaker


def test_every_complaint_comes_to_an_end():
    dialect, steps = Dialect(), 0
    everything = " ".join(complaint for complaint, _ in COMPLAINTS)
    while (weaker := without(dialect, everything)) is not None:
        dialect, steps = weaker, steps + 1
    assert dialect == Dialect(Format.TEXT, stream=False, counted=False, limit=Limit.COMPLETION)
    assert steps == 5


def test_a_full_request_has_the_schema_and_asks_for_a_count():
    assert body(CALL, Dialect(), model="m", extra={"temperature": 0}) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Plan."},
            {"role": "user", "content": "Do it."},
        ],
        "max_tokens": 300,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Plan", "strict": True, "schema": {"type": "object"}},
        },
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
    }


@pytest.mark.parametrize("format_", [Format.OBJECT, Format.TEXT])
def test_where_the_server_enforces_no_schema_the_words_do(format_):
    dialect = Dialect(format_, stream=False, limit=Limit.COMPLETION)
    sent = body(CALL, dialect, model="m", extra={})
    assert sent["messages"][0]["content"].endswith('JSON Schema (Plan):\n{"type":"object"}')
    wanted = {"type": "json_object"} if format_ is Format.OBJECT else None
    assert sent.get("response_format") == wanted
    assert sent["max_completion_tokens"] == 300
    assert not {"stream", "stream_options", "max_tokens"} & sent.keys()
