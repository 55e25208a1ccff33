import json

import pytest

from protocol.chat.exchange import Finish, Reply, ToolCall, Usage
from protocol.chat.stream import Events, Gathered, StreamError


def piece(finish=None, **delta):
    return json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}).encode()


def gathered(*events, characters=1000):
    answer = Gathered(characters)
    for each in events:
        answer.event(each)
    return answer


def test_events_are_cut_at_line_ends_alone_however_the_bytes_come():
    data = 'data: {"a": "x\u2028y\x85z"}\r\n\r\n: comment\nevent: e\ndata:[DONE]\n\n'.encode()
    expected = ['{"a": "x\u2028y\x85z"}'.encode(), b"[DONE]"]
    assert list(Events().feed(data)) == expected
    events = Events()
    single = [each for n in range(len(data)) for each in events.feed(data[n : n + 1])]
    assert single == expected


def test_pieces_make_a_reply_with_the_count_of_the_server():
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    answer = gathered(piece(content="ab"), piece(content="c"), piece("stop"), usage.encode())
    assert answer.complete
    assert answer.reply(5) == Reply("abc", Finish.STOP, Usage(9, 4))


def test_without_a_count_tokens_are_estimated_thoughts_included():
    answer = gathered(piece(reasoning_content="long thoughts"), piece("stop", content="abcdefgh"))
    assert answer.reply(5).usage == Usage(5, 4 + 2)


@pytest.mark.parametrize(
    ("last", "reply"),
    [
        (piece("length"), ("ab", Finish.LENGTH)),
        (piece("content_filter"), ("ab", Finish.REFUSED)),
        (piece("stop", refusal="No."), ("No.", Finish.REFUSED)),
        (piece("tool_calls"), ("ab", Finish.STOP)),
    ],
)
def test_why_it_ended_is_data(last, reply):
    answer = gathered(piece(content="ab"), last).reply(0)
    assert (answer.text, answer.finish) == reply


def test_only_what_says_something_is_a_token():
    answer = Gathered(100)
    silent = [piece(role="assistant", content=""), piece(), b'{"choices": []}', b"[DONE]"]
    assert [answer.event(each) for each in silent] == [False] * 4
    assert not answer.begun
    said = [piece(content="a"), piece(refusal="b"), piece(reasoning="c")]
    assert [answer.event(each) for each in said] == [True] * 3
    assert answer.begun


def test_a_model_that_does_not_stop_is_stopped():
    answer = gathered(piece(content="abc"), piece(content="def"), characters=5)
    assert answer.full
    assert answer.reply(0).text == "abcde"
    assert answer.reply(0).finish is Finish.LENGTH


def test_an_answer_is_incomplete_until_it_says_so():
    answer = gathered(piece(content="ab"))
    assert not answer.complete
    answer.event(b"[DONE]")
    assert answer.complete


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"error": {"message": "overloaded"}}', "overloaded"),
        (b'{"error": "overloaded"}', "overloaded"),
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
    ],
)
def test_what_is_no_piece_of_an_answer_is_an_error(data, words):
    with pytest.raises(StreamError, match=words):
        gathered(data)


@pytest.mark.parametrize(
    "data",
    [b'{"choices": [7]}', b'{"choices": [{"delta": 7}]}', b'{"choices": 7}', b'{"usage": {}}'],
)
def test_pieces_in_another_form_say_nothing(data):
    assert gathered(data, piece(content=[{"text": "x"}])).reply(3) == Reply(
        "", Finish.STOP, Usage(3, 0)
    )


def test_an_answer_may_come_whole():
    answer = Gathered(100)
    message = {"content": "ab", "refusal": None}
    answer.whole(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode())
    assert answer.complete
    assert answer.reply(1).text == "ab"
    with pytest.raises(StreamError, match="no choices"):
        Gathered(100).whole(b"{}")


def asked(*pieces, finish="tool_calls", characters=1000):
    answer = gathered(
        *(piece(tool_calls=each) for each in pieces), piece(finish), characters=characters
    )
    return answer.reply(0)


def part(arguments=None, **more):
    function = {"name": more.pop("name", None), "arguments": arguments}
    return {
        **more,
        "function": {key: value for key, value in function.items() if value is not None},
    }


ONE, TWO = ToolCall("a", "read", '{"x":1}'), ToolCall("b", "write", "{}")


@pytest.mark.parametrize(
    "pieces",
    [
        # bit by bit, with an index
        [
            [part("", index=0, id="a", name="read")],
            [part('{"x"', index=0)],
            [part(":1}", index=0)],
            [part("{}", index=1, id="b", name="write")],
        ],
        # side by side
        [
            [part(index=0, id="a", name="read"), part(index=1, id="b", name="write")],
            [part('{"x":1}', index=0), part("{}", index=1)],
        ],
        # whole, in one piece, without an index
        [[part('{"x":1}', id="a", name="read"), part("{}", id="b", name="write")]],
        # all under one index
        [
            [part('{"x":1}', index=0, id="a", name="read")],
            [part("{}", index=0, id="b", name="write")],
        ],
        # arguments that are no text; a name that is said again
        [
            [part({"x": 1}, index=0, id="a", name="read")],
            [part("", index=0, id="a", name="read")],
            [part({}, index=1, id="b", name="write")],
        ],
    ],
)
def test_calls_are_put_together_however_servers_cut_them(pieces):
    assert asked(*pieces) == Reply("", Finish.STOP, Usage(0, 4 + 3), (ONE, TWO))


def test_calls_without_ids_or_with_the_same_get_their_own():
    reply = asked(
        [part("{}", index=0, name="read")],
        [part("{}", index=0, name="read")],
        [part("{}", index=1, id="a", name="read")],
        [part("{}", index=2, id="a", name="read")],
    )
    assert [each.id for each in reply.calls] == ["call-0", "call-1", "a", "call-3"]


def test_calls_without_end_are_cut_off():
    reply = asked([part("x" * 600, index=0, name="read")], [part("x" * 600, index=0)])
    assert reply.finish is Finish.LENGTH
    assert len(reply.calls[0].arguments) == 1000 - len("read")
    assert asked([part("y" * 2000, index=0, name="r")]).finish is Finish.LENGTH


@pytest.mark.parametrize("odd", ["read", [7], [{"function": "read"}], {}])
def test_calls_that_make_no_sense_are_calls_of_nothing(odd):
    assert {each.name for each in asked(odd).calls} <= {""}
