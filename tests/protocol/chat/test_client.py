"""The client against a real server on loopback, however that behaves."""

import asyncio
import re
import socket
import traceback
from contextlib import asynccontextmanager
from inspect import isclass

import httpx
import pytest

from protocol.chat import client
from protocol.chat.client import Endpoint, HttpModel
from protocol.chat.dialect import Dialect, Format, Limit
from protocol.chat.exchange import (
    Call,
    Finish,
    Message,
    ModelError,
    Reply,
    Tool,
    ToolCall,
    TryAgainError,
    Usage,
)
from protocol.chat.patience import Patience
from tests.support.blocking import nothing_blocks
from tests.support.model_server import Drops, Fails, ModelServer, Says

pytestmark = pytest.mark.real_time  # sockets work outside the virtual clock

KEY = "sk-test-0123456789"
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
CALL = Call((Message("system", "Plan."), Message("user", "Do it.")), "Plan", SCHEMA, 100)
PROMPT_TOKENS = 2 + 2 + 2 * 4  # estimated
QUICK = Patience(first_token_s=0.3, idle_s=0.3, total_s=10.0)


@asynccontextmanager
async def asking(*script, patience=Patience(), dialect=Dialect(), key=None, **server):  # noqa: B008
    async with ModelServer(script, key=key, **server).running() as running:
        yield (
            HttpModel(
                Endpoint(running.url, "m", key=key, table="[a.table]"),
                patience=patience,
                dialect=dialect,
            ),
            running,
        )


async def failure(kind, *script, **options):
    """Ask, and return the error."""
    async with asking(*script, **options) as (model, _):
        with pytest.raises(kind) as caught:
            await model.complete(CALL)
    assert type(caught.value) is kind
    return caught.value


async def test_an_answer_is_streamed_and_counted_by_the_server():
    async with asking(Says({"tasks": []}, thoughts="Hm."), key=KEY) as (model, server):
        reply = await model.complete(CALL)
    assert reply == Reply('{"tasks": []}', Finish.STOP, Usage(3, 2))
    [asked] = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["stream"] is True
    assert asked.body["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_key_and_headers_go_where_the_endpoint_says():
    async with ModelServer([Says("x")]).running() as server:
        headers, extra = {"x-title": "Muster"}, {"temperature": 0}
        endpoint = Endpoint(f"{server.url}/", "m", KEY, "api-key", headers, extra)
        await HttpModel(endpoint).complete(CALL)
    [asked] = server.asked
    assert asked.headers["api-key"] == KEY
    assert asked.headers["x-title"] == "Muster"
    assert "authorization" not in asked.headers
    assert asked.body["temperature"] == 0


async def test_nothing_blocks_while_a_model_speaks():
    async with asking(*[Says("x" * 5000)] * 2) as (model, _):
        await model.complete(CALL)  # what is loaded once, is
        with nothing_blocks(0.15):  # 6 ms with coverage
            await model.complete(CALL)


@pytest.mark.parametrize(
    ("knows", "found"),
    [
        ({"formats": ["json_object", "text"]}, Dialect(Format.OBJECT)),
        ({"formats": ["text"]}, Dialect(Format.TEXT)),
        ({"unknown": ["stream"]}, Dialect(stream=False)),
        ({"unknown": ["stream_options"]}, Dialect(counted=False)),
        ({"unknown": ["max_tokens"]}, Dialect(limit=Limit.COMPLETION)),
        (
            {"formats": ["text"], "unknown": ["stream", "max_tokens"]},
            Dialect(Format.TEXT, stream=False, limit=Limit.COMPLETION),
        ),
    ],
)
async def test_what_a_server_does_not_know_is_left_out_and_remembered(knows, found):
    async with asking(Says("one"), Says("two"), **knows) as (model, server):
        assert (await model.complete(CALL)).text == "one"
        assert model.dialect == found
        before = len(server.asked)
        assert (await model.complete(CALL)).text == "two"
    assert len(server.asked) == before + 1
    if found.format is not Format.SCHEMA:
        assert "JSON Schema" in server.asked[-1].words


async def test_calls_side_by_side_learn_once():
    async with asking(*[Says("x")] * 4, formats=["json_object"]) as (model, server):
        async with asyncio.TaskGroup() as group:
            for n in range(4):
                group.create_task(model.complete(CALL), name=f"call-{n}")
        assert model.dialect == Dialect(Format.OBJECT)
    assert len(server.asked) <= 8


async def test_a_server_that_ignores_streaming_answers_whole():
    async with asking(Says("x" * 30), streams=False) as (model, _):
        assert await model.complete(CALL) == Reply("x" * 30, Finish.STOP, Usage(3, 3))


async def test_a_server_that_does_not_count_is_estimated():
    async with asking(Says("x" * 40), counts=False) as (model, _):
        assert (await model.complete(CALL)).usage == Usage(PROMPT_TOKENS, 10)


@pytest.mark.parametrize(
    ("answer", "text", "finish"),
    [
        (Says('{"tasks": [', finish="length"), '{"tasks": [', Finish.LENGTH),
        (Says(refusal="I cannot help with that."), "I cannot help with that.", Finish.REFUSED),
        (Says("", finish="content_filter"), "", Finish.REFUSED),
        (Says("é\u2028ü" * 10), "é\u2028ü" * 10, Finish.STOP),
        (Says("x" * 5000), "x" * 1600, Finish.LENGTH),
    ],
)
@pytest.mark.parametrize("streams", [True, False])
async def test_what_a_model_says_is_data(answer, text, finish, streams):
    async with asking(answer, streams=streams) as (model, _):
        reply = await model.complete(CALL)
    assert (reply.text, reply.finish) == (text, finish)


async def test_a_stream_may_end_without_its_last_words():
    said = 'data: {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}'
    streamed = {"content-type": "text/event-stream"}
    async with asking(Fails(200, said, streamed)) as (model, _):
        assert (await model.complete(CALL)).text == "x"


async def test_comments_and_empty_pieces_are_no_first_token():
    error = await failure(TryAgainError, Says("x", first_s=1.0, keep_alive=25), patience=QUICK)
    assert "did not begin within 0.3 s: raise first_token_s in [a.table]" in str(error)
    assert error.usage == Usage(PROMPT_TOKENS, 0)


async def test_a_model_that_thinks_aloud_has_begun():
    patience = Patience(first_token_s=0.8, idle_s=0.8, total_s=10.0)
    answer = Says("x", thoughts="t" * 240, token_s=0.06)
    async with asking(answer, patience=patience) as (model, _):
        assert (await model.complete(CALL)).text == "x"


async def test_a_model_that_falls_silent_is_given_up():
    patience = Patience(first_token_s=5.0, idle_s=0.2, total_s=10.0)
    error = await failure(TryAgainError, Says("x" * 36, token_s=5.0), patience=patience)
    assert "said nothing more for 0.2 s: raise idle_s" in str(error)
    assert error.usage == Usage(PROMPT_TOKENS, 3)


async def test_a_model_that_is_slow_in_all_is_not_asked_again():
    patience = Patience(first_token_s=5.0, idle_s=5.0, total_s=0.3)
    error = await failure(ModelError, Says("x" * 120, token_s=0.1), patience=patience)
    assert "was not done within 0.3 s: raise total_s" in str(error)


async def test_an_answer_that_is_not_streamed_may_take_its_time():
    answer, dialect = Says("x", first_s=0.5), Dialect(stream=False)
    async with asking(answer, dialect=dialect) as (model, _):
        assert (await model.complete(CALL)).text == "x"
    patience = Patience(total_s=0.2)
    error = await failure(ModelError, answer, dialect=dialect, patience=patience)
    assert "raise total_s" in str(error)


@pytest.mark.parametrize(
    ("answer", "words", "answered"),
    [
        (Drops(), "broke off", 0),
        (Says("x" * 120, drop_after=3), "broke off", 9),
        (Says("x" * 12, quiet_end=True), "it ended in the middle", 3),
        (Says("x" * 12, error={"message": "overloaded"}), "overloaded", 3),
        (Fails(200, "{}"), "the answer has no choices", 0),
        (Fails(200, "{"), "no JSON", 0),
        (Fails(200, "not found, yet 200"), "it ended in the middle", 0),
    ],
)
async def test_an_answer_that_breaks_off_may_be_asked_for_again_and_costs(answer, words, answered):
    error = await failure(TryAgainError, answer)
    assert words in str(error)
    assert re.match(r"the model server at http://127.0.0.1:\d+/v1 ", str(error))
    assert error.usage == Usage(PROMPT_TOKENS, answered)


@pytest.mark.parametrize(
    ("answer", "retry_after_s"),
    [
        (Fails(429, {"error": {"message": "slow down"}}, {"retry-after": "7"}), 7.0),
        (
            Fails(
                503,
                "<html>busy</html>",
                {
                    "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                    "date": "Wed, 21 Oct 2026 07:28:00 GMT",
                },
            ),
            30.0,
        ),
        (Fails(500, {"error": "oops"}), None),
        (Fails(529, {"detail": "overloaded"}), None),
    ],
)
async def test_what_time_may_mend_says_when_to_come_back(answer, retry_after_s):
    error = await failure(TryAgainError, answer)
    assert error.retry_after_s == retry_after_s
    assert error.usage == Usage()
    assert f"status {answer.status}" in str(error)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Fails(402, {"error": {"message": "pay"}}), r"402 \(pay\): the account has no credit"),
        (
            Fails(429, {"error": {"message": "quota", "code": "insufficient_quota"}}),
            "the account has no credit: top it up",
        ),
        (Fails(403, {"message": "no"}), r"403 \(no\): check key_env or key_file"),
        (Fails(404, {"error": {"message": "no model m"}}), "check base_url and model"),
        (Fails(413, ""), "lower prompt_tokens"),
        (
            Fails(400, {"error": {"message": "maximum context length is 8192 tokens"}}),
            r"8192 tokens\): change in \[a.table\] what it complains about",
        ),
        (Fails(302, "", {"location": "http://elsewhere.invalid/"}), "status 302"),
    ],
)
async def test_what_time_does_not_mend_says_what_to_do(answer, words):
    error = await failure(ModelError, answer)
    assert error.usage == Usage()
    with pytest.raises(ModelError, match=words):
        raise error


async def test_the_key_is_in_no_error():
    async with asking(Says("x"), key=KEY) as (_, server):
        endpoint = Endpoint(server.url, "m", key="the-wrong-key-1")
        with pytest.raises(ModelError, match="check key_env") as caught:
            await HttpModel(endpoint).complete(CALL)
    assert "Incorrect API key provided: [secret]." in str(caught.value)
    assert "the-wrong-key-1" not in f"{caught.value!r} {endpoint!r}"


async def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(client, "BYTES", 1000)
    error = await failure(TryAgainError, Says("", keep_alive=500))
    assert "larger than any of use" in str(error)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:{port}/v1", TryAgainError),
        ("https://127.0.0.1:{port}/v1", TryAgainError),
        ("ftp://127.0.0.1/v1", ModelError),
        ("http://a:b", ModelError),
    ],
)
async def test_a_server_that_is_not_there_is_an_error_that_costs_nothing(url, kind):
    with pytest.raises(kind, match=r"cannot be reached .*: check base_url") as caught:
        await HttpModel(Endpoint(url.format(port=closed_port()), "m")).complete(CALL)
    assert caught.value.usage == Usage()


async def test_headers_that_cannot_be_sent_are_an_error():
    async with asking() as (_, server):
        for value in ("ä€", "first\nsecond"):
            for endpoint in (
                Endpoint(server.url, "m", headers={"x": value}),
                Endpoint(server.url, "m", key=value),
            ):
                with pytest.raises(ModelError, match="the key, or one of headers") as caught:
                    await HttpModel(endpoint).complete(CALL)
                assert "second" not in "".join(traceback.format_exception(caught.value))


async def test_a_call_that_is_cancelled_leaves_nothing_behind():
    async with asking(Says("x", first_s=30.0), patience=Patience()) as (model, server):
        async with asyncio.TaskGroup() as group:
            call = group.create_task(model.complete(CALL), name="call")
            await server.news.wait()
            call.cancel()
        assert call.cancelled()


def test_every_exception_of_the_library_is_mapped_or_cannot_happen():
    misuse = (httpx.HTTPStatusError, httpx.StreamError, httpx.CookieConflict)  # we never do that
    foreign = {
        each for each in vars(httpx).values() if isclass(each) and issubclass(each, Exception)
    }
    assert {
        each
        for each in foreign - {httpx.HTTPError}
        if not issubclass(each, (*client.ERRORS, *misuse))
    } == set()


READ = Tool("read", "Read a file.", {"type": "object"})
WITH_TOOLS = Call(CALL.messages, "", None, 100, (READ,))
CALLS = (("read", {"path": "a" * 20}), ("read", "{"))


@pytest.mark.parametrize("streams", [True, False])
async def test_calls_arrive_however_they_are_sent(streams):
    async with asking(Says("Hm.", calls=CALLS, finish="tool_calls"), streams=streams) as (
        model,
        _,
    ):
        reply = await model.complete(WITH_TOOLS)
    assert reply.text == "Hm."
    assert [each.arguments for each in reply.calls] == ['{"path": "aaaaaaaaaaaaaaaaaaaa"}', "{"]
    assert [each.id for each in reply.calls] == ["id-0", "id-1"]


@pytest.mark.parametrize(
    "refusal",
    [
        None,
        Fails(500, "tools param requires --jinja flag"),
        Fails(404, {"error": {"message": "no support for tool use"}}),
    ],
)
async def test_a_server_without_tools_is_asked_in_words_and_that_is_remembered(refusal):
    says = [Says({"name": "read", "arguments": {}}), Says("done")]
    script = says if refusal is None else [refusal, *says]
    async with asking(*script, unknown=[] if refusal else ["tools"]) as (model, server):
        reply = await model.complete(WITH_TOOLS)
        assert reply.calls == (ToolCall("call-0", "read", "{}"),)
        assert model.dialect == Dialect(tools=False)
        assert (await model.complete(WITH_TOOLS)).text == "done"
    assert len(server.asked) == 3
    assert "tools" in server.asked[0].body
    assert "tools" not in server.asked[1].body


SLIPPED = {
    "message": "Failed to call a function. Please adjust your prompt. See 'failed_generation'.",
    "code": "tool_use_failed",
}


@pytest.mark.parametrize(
    "slip",
    [Fails(400, {"error": SLIPPED}), Fails(500, "Failed to parse tool call arguments as JSON")],
)
async def test_a_call_that_the_server_cannot_read_is_asked_for_again_as_before(slip):
    async with asking(slip) as (model, server):
        with pytest.raises(TryAgainError):
            await model.complete(WITH_TOOLS)
        assert model.dialect == Dialect()
    assert len(server.asked) == 1


async def test_a_server_that_fails_otherwise_keeps_its_tools():
    error = await failure(TryAgainError, Fails(500, "stream of consciousness"))
    assert "status 500" in str(error)
