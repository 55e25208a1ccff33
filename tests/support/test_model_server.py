import asyncio
import json

import httpx
import pytest

from tests.support.model_server import Drops, Fails, ModelServer, Says

pytestmark = pytest.mark.real_time


def body(**more):
    return {"model": "m", "messages": [{"role": "user", "content": "x" * 40}]} | more


async def post(server, path="/chat/completions", key="", **more):
    async with httpx.AsyncClient(timeout=5) as client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return await client.post(f"{server.url}{path}", json=body(**more), headers=headers)


async def test_it_says_its_script_counts_and_records():
    async with ModelServer([Says({"a": 1}), Says("two", finish="length")]).running() as server:
        answer = (await post(server)).json()
        assert answer["choices"][0]["message"]["content"] == '{"a": 1}'
        assert answer["usage"] == {
            "prompt_tokens": 10,
            "completion_tokens": 1,
            "total_tokens": 11,
        }
        assert (await post(server)).json()["choices"][0]["finish_reason"] == "length"
        assert (await post(server)).status_code == 400
    assert server.tokens == {"prompt": 20, "answer": 2}
    assert [each.body["model"] for each in server.asked] == ["m"] * 3


async def test_a_function_answers_from_the_request():
    async with ModelServer(lambda asked: Says(asked.body["model"])).running() as server:
        answer = (await post(server, model="other")).json()
        assert answer["choices"][0]["message"]["content"] == "other"


async def test_a_stream_is_server_sent_events_to_its_end():
    says = Says("x" * 13, thoughts="t", keep_alive=1)
    async with ModelServer([says]).running() as server:
        answer = await post(server, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"] == "text/event-stream"
    lines = [line for line in answer.text.split("\n") if line]
    assert ": processing" in lines
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    deltas = [each["choices"][0]["delta"] for each in events if each["choices"]]
    assert "".join(each.get("content", "") for each in deltas) == "x" * 13
    assert {"reasoning_content": "t"} in deltas
    assert events[-1]["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("server", "request_", "status", "words"),
    [
        ({"formats": ["text"]}, {"response_format": {"type": "json_schema"}}, 400, "unavailable"),
        ({"formats": ["text"]}, {"response_format": {"type": "json_object"}}, 400, "must be"),
        ({"unknown": ["stream"]}, {"stream": True}, 400, "Streaming"),
        ({"unknown": ["stream_options"]}, {"stream_options": {}}, 400, "stream_options"),
        ({"unknown": ["max_tokens"]}, {"max_tokens": 5}, 400, "max_completion_tokens"),
        ({"key": "k"}, {"key": "wrong"}, 401, "provided: wrong"),
        ({}, {"path": "/models"}, 404, "not found"),
        ({"streams": False}, {"stream": True}, 200, '"message"'),
        ({"key": "k", "counts": False}, {"key": "k"}, 200, '"usage": null'),
    ],
)
async def test_it_knows_what_it_is_told_to(server, request_, status, words):
    async with ModelServer([Says("x")], **server).running() as running:
        answer = await post(running, **request_)
    assert (answer.status_code, words in answer.text) == (status, True)


async def test_it_fails_as_it_is_told_to():
    answers = [
        Fails(429, {"error": "slow"}, {"retry-after": "7"}),
        Drops(),
        Says("x" * 40, drop_after=2),
        Says("x", error={"message": "m"}),
        Says("x", quiet_end=True),
    ]
    async with ModelServer(answers).running() as server:
        refused = await post(server)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                await post(server, stream=True)
        assert '{"error": {"message": "m"}}' in (await post(server, stream=True)).text
        assert "[DONE]" not in (await post(server, stream=True)).text


async def test_it_is_as_slow_as_it_is_told_to_be_and_does_not_outlive_its_block():
    loop = asyncio.get_running_loop()
    answers = [Says("x" * 24, first_s=0.1, token_s=0.1), Says(first_s=60)]
    async with ModelServer(answers).running() as server:
        began = loop.time()
        await post(server, stream=True)
        assert 0.3 <= loop.time() - began < 5.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await post(server, stream=True)
    with pytest.raises(httpx.ConnectError):
        await post(server)
