import asyncio

import httpx
import pytest

from agents.skills import PermanentError, TemporaryError
from agents.warm.adapters import http
from agents.warm.adapters.llm import SERVERS, LlmSessions

pytestmark = pytest.mark.real_time  # sockets work outside the virtual clock

SYSTEM = {"role": "system", "content": "Be brief."}
ASK = {"role": "user", "content": "Why?"}


def sessions(server, kind, **options):
    return LlmSessions(server.url, server=kind, prefix=lambda _: [SYSTEM], slots=2, **options)


@pytest.mark.parametrize("kind", SERVERS)
async def test_prefix_is_read_at_the_load_and_not_again(llm_server, kind):
    async with llm_server(slots=2) as server:
        adapter = sessions(server, kind)
        session = await adapter.load("support")
        read = len(server.requests)
        answer = await session.chat([ASK], temperature=0)
        await adapter.evict(session)

    assert answer["read"] == 1
    assert server.requests[read][1]["messages"] == [SYSTEM, ASK]
    assert server.requests[read - 1][1]["max_tokens"] == 1
    assert session.id.startswith("support-")


async def test_sessions_of_vllm_share_no_blocks(llm_server):
    async with llm_server() as server:
        adapter = sessions(server, "vllm")
        first, second = await adapter.load("one"), await adapter.load("two")
        await adapter.evict(first)
        await adapter.evict(second)

    assert {first.id, second.id} == set(server.blocks)
    assert first.hints["cache_salt"] == first.id


async def test_evicted_slot_is_saved_erased_and_restored(llm_server):
    async with llm_server(slots=2) as server:
        adapter = sessions(server, "llama.cpp")
        session = await adapter.load("support")
        await session.chat([ASK])
        await adapter.evict(session)
        assert server.slots == {0: [], 1: []}
        again = await adapter.load("support")
        answer = await again.chat([ASK])
        await adapter.evict(again)

    assert (session.restored, again.restored) == (False, True)
    assert answer["read"] == 0
    assert session.id == again.id


async def test_each_session_has_a_slot_of_its_own_as_long_as_there_are_some(llm_server):
    async with llm_server(slots=2) as server:
        adapter = sessions(server, "llama.cpp")
        held = [await adapter.load("one"), await adapter.load("two")]
        with pytest.raises(TemporaryError, match="all slots"):
            await adapter.load("three")
        await adapter.evict(held[0])
        held[0] = await adapter.load("three")
        slots = [each.slot for each in held]
        for each in held:
            await adapter.evict(each)

    assert slots == [0, 1]


async def test_server_that_cannot_save_still_erases(llm_server):
    async with llm_server(slots=1, saves=False) as server:
        adapter = sessions(server, "llama.cpp")
        await adapter.evict(await adapter.load("support"))

    assert server.slots == {0: []}


async def test_hints_and_key_go_with_every_request(llm_server):
    async with llm_server() as server:
        hints = {"keep_alive": "10m", "user": "{session}"}
        headers = {"authorization": "Bearer secret"}
        adapter = sessions(server, "plain", model="tiny", hints=hints, headers=headers)
        session = await adapter.load("support")
        await adapter.evict(session)
    _, body, head = server.requests[0]

    assert (body["model"], body["keep_alive"], body["user"]) == ("tiny", "10m", session.id)
    assert "Bearer secret" in head


async def test_session_without_a_prefix_asks_nothing(llm_server):
    async with llm_server() as server:
        adapter = LlmSessions(server.url)
        session = await adapter.load("any")
        assert adapter.size(session) is None
        await adapter.evict(session)

    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "raw", "error"),
    [
        (503, None, TemporaryError),
        (429, None, TemporaryError),
        (404, None, PermanentError),
        (200, b"no json", PermanentError),
        (200, b"[]", PermanentError),
    ],
)
@pytest.mark.parametrize("kind", SERVERS)
async def test_load_that_fails_frees_its_slot_and_says_what_recovery_may_do(
    llm_server, kind, status, raw, error
):
    async with llm_server(slots=1) as server:
        adapter = LlmSessions(server.url, server=kind, prefix=lambda _: [SYSTEM])
        server.status, server.raw = status, raw
        with pytest.raises(error):
            await adapter.load("support")
        server.status, server.raw = 200, None
        await adapter.evict(await adapter.load("support"))


async def test_load_that_is_cancelled_frees_its_slot(llm_server):
    async with llm_server(slots=1) as server:
        adapter = LlmSessions(server.url, server="llama.cpp", prefix=lambda _: [SYSTEM])
        server.delay_s = 60.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await adapter.load("support")
        server.delay_s = 0.0
        await adapter.evict(await adapter.load("support"))


async def test_load_from_what_is_no_url_fails_for_good_and_frees_its_slot():
    adapter = LlmSessions("http://127.0.0.1:many", server="llama.cpp", slots=1)
    for _ in range(2):
        with pytest.raises(PermanentError, match="Invalid port"):
            await adapter.load("support")


async def test_server_that_is_not_there_may_come(llm_server):
    async with llm_server() as server:
        pass
    with pytest.raises(TemporaryError):
        await sessions(server, "plain").load("support")


def test_every_error_of_the_client_is_mapped():
    errors = [
        each
        for each in vars(httpx).values()
        if isinstance(each, type) and issubclass(each, (httpx.HTTPError, httpx.InvalidURL))
    ]
    unmapped = {each.__name__ for each in errors if not issubclass(each, tuple(http.ERRORS))}

    assert unmapped == {"HTTPError", "HTTPStatusError"}  # the base; and we do not raise for status


async def test_https_is_verified():
    api = await http.Api.open("https://127.0.0.1:1", {})
    with pytest.raises(TemporaryError):
        await api.post("/", {})
    await api.close()
