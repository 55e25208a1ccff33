import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import isclass

import httpx
import pytest

from agents.builtin import http
from agents.builtin.bounds import TEXT_BYTES
from agents.skills import (
    BadInputError,
    Context,
    LeaseLostError,
    NotAllowedError,
    PermanentError,
    Skills,
    TemporaryError,
)
from protocol.types import AttemptId, RunId, TaskId

pytestmark = pytest.mark.broker  # sockets work outside the virtual clock

ANSWERS = {
    "/text": (200, {"content-type": "text/plain"}, b"hello"),
    "/json": (200, {"content-type": "application/json"}, b'{"a": [1]}'),
    "/broken": (200, {"content-type": "application/json"}, b"{"),
    "/large": (200, {}, b"x" * (TEXT_BYTES + 1)),
    "/escaped": (200, {"content-type": "application/json"}, b"\0" * 20_000),
    "/moved": (302, {"location": "/text"}, b""),
    "/outside": (302, {"location": "http://elsewhere.invalid/"}, b""),
    "/up": (302, {"location": "/other/x"}, b""),
    "/loop": (302, {"location": "/loop"}, b""),
    "/busy": (503, {"retry-after": "7"}, b"later"),
    "/broke": (500, {"retry-after": "Mon, 01 Jan 2035"}, b""),
    "/gone": (404, {}, b"nothing here"),
}


@asynccontextmanager
async def server() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A real server on loopback: the answers above, and an echo for everything else."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = await reader.readexactly(int(fields.get(b"content-length", 0)))
        seen.append(head + body)
        path = head.split()[1].decode()
        status, headers, content = ANSWERS.get(path, (200, {}, head.split()[0] + b" " + body))
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {text}" for name, text in headers.items())]
        lines += [f"content-length: {len(content)}", "connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + content)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}", seen


@pytest.fixture
async def site() -> AsyncIterator[tuple[str, list[bytes]]]:
    async with server() as started:
        yield started


@pytest.fixture
def host(site) -> str:
    return site[0]


@pytest.fixture
def skills(host):
    return http.skills([host])


async def test_a_text_comes_back(call, skills, host):
    assert await call(skills, "http.get", url=f"http://{host}/text") == {
        "status": 200,
        "url": f"http://{host}/text",
        "content_type": "text/plain",
        "body": "hello",
        "truncated": False,
    }


@pytest.mark.parametrize(("path", "body"), [("/json", {"a": [1]}), ("/broken", "{")])
async def test_json_comes_back_as_data_if_it_is_some(call, skills, host, path, body):
    assert (await call(skills, "http.get", url=f"http://{host}{path}"))["body"] == body


@pytest.mark.parametrize("path", ["/large", "/escaped"])
async def test_a_large_body_is_cut(call, skills, host, path):
    response = await call(skills, "http.get", url=f"http://{host}{path}")
    assert response["truncated"]
    assert 1000 < len(response["body"]) <= TEXT_BYTES


@pytest.mark.parametrize(
    ("body", "sent"), [("text", b"POST text"), ({"a": 1}, b'POST {"a":1}'), (None, b"POST ")]
)
async def test_a_request_carries_headers_and_body(call, skills, site, body, sent):
    response = await call(
        skills,
        "http.request",
        method="POST",
        url=f"http://{site[0]}/echo",
        headers={"x-test": "1"},
        body=body,
    )
    assert response["body"].encode() == sent
    assert b"x-test: 1\r\n" in site[1][0]


async def test_a_redirect_inside_is_followed(call, skills, host):
    assert (await call(skills, "http.get", url=f"http://{host}/moved"))["body"] == "hello"


async def test_a_redirect_outside_is_not_followed(call, site):
    host, seen = site
    skills = http.skills([host])
    with pytest.raises(NotAllowedError, match=r"http://elsewhere\.invalid/: the owner"):
        await call(skills, "http.get", url=f"http://{host}/outside")
    skills = http.skills([f"http://{host}/up"])
    with pytest.raises(NotAllowedError, match="/other/x: the owner does not allow"):
        await call(skills, "http.get", url=f"http://{host}/up")
    assert len(seen) == 2


async def test_a_loop_of_redirects_ends(call, skills, site):
    with pytest.raises(PermanentError, match="more than 5 redirects"):
        await call(skills, "http.get", url=f"http://{site[0]}/loop")
    assert len(site[1]) == 6


@pytest.mark.parametrize(
    ("rule", "url", "allowed"),
    [
        ("example.org", "http://example.org/x", True),
        ("example.org", "https://EXAMPLE.org", True),
        ("example.org", "https://example.org:443/", True),
        ("example.org", "http://example.org:8080/", False),
        ("example.org:8080", "http://example.org:8080/", True),
        ("example.org", "http://example.org.evil.net/", False),
        ("example.org", "http://example.org@evil.net/", False),
        ("example.org", "ftp://example.org/", False),
        ("https://example.org/api/", "https://example.org/api/x", True),
        ("https://example.org/api/", "https://example.org/api", True),
        ("https://example.org/api", "https://example.org/apiary", False),
        ("https://example.org/api", "http://example.org/api", False),
        ("https://example.org/api", "https://example.org/api/../x", False),
        ("https://example.org/api", "https://example.org/api/%2e%2e/x", False),
    ],
)
def test_a_rule_covers_exactly_what_it_says(rule, url, allowed):
    request = httpx.Request("GET", url)
    if allowed:
        http.Http([rule])._admit(request)
    else:
        with pytest.raises(NotAllowedError):
            http.Http([rule])._admit(request)


@pytest.mark.parametrize(("path", "after"), [("/busy", 7.0), ("/broke", None)])
async def test_a_server_in_trouble_is_worth_another_try(call, skills, host, path, after):
    with pytest.raises(TemporaryError, match="status 50") as caught:
        await call(skills, "http.get", url=f"http://{host}{path}")
    assert caught.value.retry_after_s == after


async def test_another_bad_status_is_an_error_or_data(call, skills, host):
    with pytest.raises(BadInputError, match="status 404: nothing here"):
        await call(skills, "http.get", url=f"http://{host}/gone")
    response = await call(skills, "http.get", url=f"http://{host}/gone", check=False)
    assert (response["status"], response["body"]) == (404, "nothing here")


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("http://127.0.0.1:1/", {}, (TemporaryError, "connection attempts failed")),
        ("http://127.0.0.1:1/", {"host": "x"}, (NotAllowedError, "leave it out")),
        ("http://127.0.0.1:1/", {"x": "ä€"}, (BadInputError, "codec can't encode")),
        ("http://127.0.0.1:99999/", {}, (NotAllowedError, "does not allow")),
        ("http://a:b", {}, (BadInputError, "Invalid port")),
    ],
)
async def test_what_cannot_be_sent_gets_a_sentence(call, url, headers, expected):
    error, sentence = expected
    with pytest.raises(error, match=sentence):
        await call(http.skills(["127.0.0.1:1"]), "http.get", url=url, headers=headers)


async def test_a_header_that_http_forbids_is_bad_input(call, skills, host):
    with pytest.raises(BadInputError, match="Illegal header"):
        await call(skills, "http.get", url=f"http://{host}/", headers={"x": "a\nb"})


async def test_a_lost_lease_stops_a_request(skills, host):
    lapsed = Context(
        attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"), lease_live=lambda: False
    )
    with pytest.raises(LeaseLostError):
        await Skills(skills)["http.request"].call(
            lapsed, {"method": "DELETE", "url": f"http://{host}/x"}
        )


def test_every_exception_of_the_library_is_mapped_or_cannot_happen():
    misuse = (httpx.HTTPStatusError, httpx.StreamError, httpx.CookieConflict)  # we never do that
    foreign = {
        each for each in vars(httpx).values() if isclass(each) and issubclass(each, Exception)
    }
    assert {
        each
        for each in foreign - {httpx.HTTPError}
        if not issubclass(each, (*http.ERRORS, *misuse))
    } == set()
