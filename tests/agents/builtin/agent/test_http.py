"""Against a real server on loopback, however that behaves."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from agents.builtin import agent
from agents.sharing import sharing
from agents.skills import BadInputError, PermanentError, TemporaryError
from agents.warm.adapters.llm import LlmSessions
from protocol.artifacts import Artifact
from protocol.artifacts.store import Store
from protocol.settings import SettingsError
from tests.agents.builtin.agent.cases import CONTEXT, KEY, Device, section
from tests.support.model_server import Drops, Fails, ModelServer, Says

pytestmark = pytest.mark.real_time

READ = ("files_read", {"path": "/a"})
WORDS = {"tool_calls": [{"name": "files.read", "arguments": {"path": "/a"}}]}
TAGS = f"<tool_call>{json.dumps(WORDS['tool_calls'][0])}</tool_call>"


@pytest.fixture
def device():
    return Device()


@asynccontextmanager
async def working(device, *script, settings=None, **server):
    """Give a function that has a task done by a server that answers so."""
    options = {"allow": ("files.read", "broken"), "retry_after_s": 0.0} | (settings or {})
    async with ModelServer(script, **server).running() as running:
        [skill] = agent.skills(
            section(base_url=running.url, **options),
            device.skills,
            permits=lambda _: True,
            folder=None,
            environment={"OUR_KEY": KEY},
        )

        async def work(context=CONTEXT, **args):
            return await skill.call(context, {"task": "Do it.", **args})

        yield work, running


@pytest.mark.parametrize(
    ("script", "server"),
    [
        ([Says(calls=[READ], finish="tool_calls"), Says("done")], {}),
        ([Says(calls=[READ]), Says("done")], {"streams": False}),
        ([Says(calls=[READ]), Says("done")], {"counts": False, "unknown": ["stream_options"]}),
        ([Says(WORDS), Says("done")], {"unknown": ["tools"]}),
        ([Says(WORDS), Says("done")], {"unknown": ["tools", "stream", "max_tokens"]}),
        ([Fails(500, "tools param requires --jinja flag"), Says(WORDS), Says("done")], {}),
        ([Says(TAGS), Says("done")], {}),
        ([Says(calls=[READ], thoughts="Hm."), Says("<think>So.</think> done")], {}),
        ([Says(calls=[("files_read", '{"path": "/a"')]), Says(calls=[READ]), Says("done")], {}),
        ([Says(calls=[READ], finish="length"), Says(calls=[READ]), Says("done")], {}),
    ],
)
async def test_the_work_is_done_however_the_server_speaks(device, script, server):
    async with working(device, *script, **server) as (work, running):
        report = await work()
    assert report["result"] == "done"
    assert device.done == [("read", "/a")]
    assert "text of /a" in running.asked[-1].last
    assert report["prompt_tokens"] > 0
    assert report["answer_tokens"] > 0


@pytest.mark.parametrize(
    "failure",
    [
        Fails(429, {"error": "slow down"}, {"retry-after": "0"}),
        Fails(503, "<html>busy</html>"),
        Drops(),
        Says("x" * 90, drop_after=2),
        Says(calls=[READ], drop_after=1),
        Says(calls=[READ], quiet_end=True),
        Says("x", error={"message": "overloaded"}),
    ],
)
async def test_an_answer_that_breaks_off_is_asked_for_again_and_nothing_of_it_is_done(
    device, failure
):
    settings = {"retry_after_s": 2.0}
    async with working(device, failure, Says("done"), settings=settings) as (work, running):
        assert (await work())["result"] == "done"
    assert (len(running.asked), device.done) == (2, [])


async def test_a_busy_server_fails_the_attempt_for_now(device):
    settings = {"tries": 1}
    async with working(device, Fails(503, "busy"), settings=settings) as (work, _):
        with pytest.raises(TemporaryError, match="status 503"):
            await work()


async def test_a_wrong_key_says_what_to_do_and_is_told_nobody(device):
    settings = {"key_env": "OUR_KEY"}
    async with working(device, key="another-key", settings=settings) as (work, running):
        with pytest.raises(PermanentError, match=r"check key_env or key_file in \[skills.agent\]"):
            await work()
    assert running.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_the_key_is_in_no_prompt_and_no_transcript(device):
    settings = {"key_env": "OUR_KEY"}
    script = [Says(calls=[("broken", {})]), Says(f"It is {KEY}")]
    async with working(device, *script, key=KEY, settings=settings) as (work, running):
        report = await work()
    assert "the key is [secret]" in running.asked[-1].last
    assert KEY not in report["transcript"]


def test_a_key_that_is_not_there_is_said_at_once(device):
    with pytest.raises(SettingsError, match=r"skills.agent.key_env: .* NOT_THERE is not set"):
        agent.skills(
            section(key_env="NOT_THERE"), device.skills, permits=lambda _: True, folder=None
        )


async def test_each_task_has_a_session_that_the_server_may_keep(device):
    settings = {"extra": {"prompt_cache_key": "{session}", "top_k": 1}}
    script = [Says(calls=[READ]), *[Says("done")] * 2]
    async with working(device, *script, settings=settings) as (work, running):
        await work()
        await work(replace(CONTEXT, task="other"))
    first, second, other = (each.body["prompt_cache_key"] for each in running.asked)
    assert first == second != other
    assert {each.body["top_k"] for each in running.asked} == {1}


async def test_a_session_that_the_task_needs_brings_its_prefix_and_hints(device):
    async with working(device, Says(calls=[READ]), Says("done")) as (work, running):
        sessions = LlmSessions(
            running.url.removesuffix("/v1"),
            server="vllm",
            model="its-own",
            hints={"keep_alive": "{session}"},
        )
        session = await sessions.load("support")
        session = replace(session, prefix=({"role": "system", "content": "You are support."},))
        await work(replace(CONTEXT, on_resource=lambda kind, _key: {"llm": session}[kind]))
        await sessions.evict(session)
    for asked in running.asked:
        assert (asked.body["model"], asked.body["cache_salt"]) == ("its-own", session.id)
        system, user, *_ = asked.body["messages"]
        assert system == {"role": "system", "content": "You are support."}
        assert user["content"].endswith("\n\nDo it.")


async def test_what_else_is_called_llm_is_left_alone(device):
    def several(_kind, _key):
        raise BadInputError("several")

    for found in (lambda _kind, _key: object(), several):
        async with working(device, Says("done")) as (work, _):
            assert (await work(replace(CONTEXT, on_resource=found)))["result"] == "done"


async def test_the_transcript_is_an_artifact_where_there_are_some(device, tmp_path):
    store = Store(tmp_path / "store")
    async with (
        sharing(store, "127.0.0.1", 0) as artifacts,
        working(device, Says(calls=[READ]), Says("done")) as (work, _),
    ):
        context = replace(CONTEXT, artifacts=artifacts)
        report = await work(context)
        path = await context.fetch(Artifact.read(report["transcript"]))
        kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
        await artifacts.close(context.attempt)
    store.close()
    assert kinds == ["begun", "said", "started", "ended", "said", "done"]


async def test_a_transcript_that_finds_no_room_is_told_in_part(device, tmp_path):
    store = Store(tmp_path / "store", quota_bytes=100)
    script = [*[Says(calls=[("files_read", {"path": "x" * 9000})])] * 2, Says("done")]
    async with (
        sharing(store, "127.0.0.1", 0) as artifacts,
        working(device, *script) as (work, _),
    ):
        report = await work(replace(CONTEXT, artifacts=artifacts))
    store.close()
    assert report["transcript"].startswith("…")
    assert report["transcript"].endswith('{"result":"done","kind":"done"}')
    assert len(report["transcript"]) == 16_001
