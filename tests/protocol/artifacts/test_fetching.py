import asyncio
import hashlib
import os
from contextlib import asynccontextmanager

import pytest

from protocol.artifacts import (
    Artifact,
    BadReferenceError,
    Content,
    GoneError,
    MismatchError,
    StoreError,
    UnavailableError,
)
from protocol.artifacts.fetching import download, fetch

pytestmark = pytest.mark.real_time
DATA = os.urandom(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()
TOKEN = "capability"  # noqa: S105  opens nothing


def answer(status: str, body: bytes = b"", *, promised: int | None = None, **headers: str):
    """An answer that may promise more than it sends."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body) if promised is None else promised}", "", ""]
    return "\r\n".join(lines).encode() + body


def rest(start: int, end: int = len(DATA)) -> bytes:
    said = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    return answer("206 Partial", DATA[start:end], promised=len(DATA) - start, content_range=said)


@asynccontextmanager
async def source(*answers: bytes):
    """A server that gives these answers, one a connection; yields its port and the requests."""
    requests, left = [], list(answers)

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        requests.append(dict(line.split(": ", 1) for line in head[1:] if line))
        writer.write(left.pop(0) if left else answer("503 Not any more"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], requests


def artifact(
    *ports: int, size_bytes: int = len(DATA), sha256: str = SHA, at: str = ""
) -> Artifact:
    urls = tuple(f"{at or f'http://127.0.0.1:{port}'}/artifacts/{sha256}" for port in ports)
    content = Content(
        sha256=sha256,
        size_bytes=size_bytes,
        media_type="application/octet-stream",
        urls=urls,
        token=TOKEN,
    )
    return Artifact.of(content)


async def test_content_is_fetched_with_its_token_and_appears_whole(tmp_path):
    seen = []
    async with source(answer("200 OK", DATA)) as (port, requests):
        await fetch(artifact(port), tmp_path / "file", told=seen.append)
    assert (tmp_path / "file").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert requests[0]["authorization"] == f"bearer {TOKEN}"
    assert "range" not in requests[0]
    assert seen == sorted(seen)
    assert seen[-1] == len(DATA)


async def test_nothing_is_fetched_for_an_empty_file(tmp_path):
    empty = artifact(1, size_bytes=0, sha256=hashlib.sha256().hexdigest())
    await fetch(empty, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b""


async def test_a_broken_connection_is_gone_on_with_where_it_broke(tmp_path):
    cut = answer("200 OK", DATA[:1_000_000], promised=len(DATA))
    async with source(cut, answer("503 Busy"), b"", rest(1_000_000)) as (port, requests):
        told = []
        await download(artifact(port), tmp_path / "part", going_on=lambda: told.append("again"))
    assert (tmp_path / "part").read_bytes() == DATA
    assert [request.get("range") for request in requests] == [None, *["bytes=1000000-"] * 3]
    assert requests[1]["if-range"] == f'"{SHA}"'
    assert told == ["again"] * 3


async def test_what_is_there_already_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setattr("protocol.artifacts.hashed_file.STEP_BYTES", 1_000_000)
    part = tmp_path / "part"
    part.write_bytes(DATA[:2_999_999])
    async with source(rest(2_999_999)) as (port, requests):
        await download(artifact(port), part)
        await download(artifact(port), part)
    assert part.read_bytes() == DATA
    assert len(requests) == 1


@pytest.mark.parametrize("spoiled", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 1)])
async def test_a_spoiled_beginning_is_thrown_away_and_all_fetched_anew(tmp_path, spoiled):
    part = tmp_path / "part"
    part.write_bytes(spoiled)
    answers = [rest(1000), answer("200 OK", DATA)]
    async with source(*answers[len(spoiled) != 1000 :]) as (port, _):
        await download(artifact(port), part)
    assert part.read_bytes() == DATA


async def test_a_source_that_knows_no_ranges_sends_all_again(tmp_path):
    part = tmp_path / "part"
    part.write_bytes(DATA[:1000])
    async with source(answer("200 OK", DATA)) as (port, requests):
        await download(artifact(port), part)
    assert part.read_bytes() == DATA
    assert requests[0]["range"] == "bytes=1000-"


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (answer("200 OK", DATA[::-1]), MismatchError, "something else than was promised"),
        (answer("200 OK", DATA + b"more"), MismatchError, "something else than was promised"),
        (rest(5), MismatchError, "began elsewhere"),
        (answer("416 No"), MismatchError, "less than was promised"),
        (answer("404 Gone"), GoneError, "does not have it any more"),
        (answer("403 No"), GoneError, "does not take its token"),
        (answer("302 Found", location="http://127.0.0.1:1/"), GoneError, "status 302"),
    ],
)
async def test_a_source_that_errs_or_lies_ends_the_fetch_and_leaves_no_lie(
    tmp_path, said, error, words
):
    part = tmp_path / "part"
    async with source(said) as (port, _):
        with pytest.raises(error, match=rf"http://127.0.0.1:{port}/artifacts/{SHA}.*{words}"):
            await download(artifact(port), part)
    assert part.read_bytes() == b""


async def test_a_source_that_stays_away_is_given_up_and_what_came_is_kept(tmp_path):
    part = tmp_path / "part"
    cut = answer("200 OK", DATA[:1_000_000], promised=len(DATA))
    async with source(cut) as (port, requests):
        with pytest.raises(UnavailableError, match="nothing came for 0 s: status 503"):
            await download(artifact(port), part, patience_s=0)
    assert part.read_bytes() == DATA[:1_000_000]
    assert len(requests) == 2
    with pytest.raises(UnavailableError, match="nothing came for 0 s"):
        await download(artifact(port), part, patience_s=0)


async def test_an_answer_without_a_length_that_ends_early_is_gone_on_with(tmp_path):
    early = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA[:1000]
    async with source(early, rest(1000)) as (port, _):
        await download(artifact(port), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA


async def test_another_address_is_tried_where_one_is_away(tmp_path):
    async with source(answer("200 OK", DATA)) as (port, _):
        await download(artifact(1, port), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA


async def test_who_may_not_go_on_stops_before_the_next_try(tmp_path):
    def stop() -> None:
        raise LookupError("the lease has lapsed")

    async with source() as (port, requests):
        with pytest.raises(LookupError):
            await download(artifact(port), tmp_path / "part", going_on=stop)
    assert len(requests) == 1


async def test_a_cancelled_fetch_leaves_a_part_that_nobody_writes(tmp_path):
    arrived = asyncio.Event()
    cut = answer("200 OK", DATA[:1_500_000], promised=len(DATA))
    async with source(cut) as (port, _), asyncio.TaskGroup() as group:
        running = group.create_task(
            download(artifact(port), tmp_path / "part", told=lambda _: arrived.set())
        )
        await arrived.wait()
        running.cancel()
    assert DATA.startswith((tmp_path / "part").read_bytes())


async def test_what_is_no_url_or_no_folder_is_one_clear_error(tmp_path):
    with pytest.raises(BadReferenceError, match="no URL"):
        await fetch(artifact(1, at="http://[::1"), tmp_path / "file")
    with pytest.raises(StoreError, match="No such file"):
        await fetch(artifact(1), tmp_path / "nowhere" / "file")


async def test_a_wrong_url_behind_one_of_https_is_one_clear_error_too(tmp_path):
    content = artifact(1).content
    urls = tuple(f"{at}/artifacts/{SHA}" for at in ("https://127.0.0.1:1", "http://[::1"))
    two = Artifact.of(content.model_copy(update={"urls": urls}))
    with pytest.raises(BadReferenceError, match=r"http://\[::1.*no URL"):
        await fetch(two, tmp_path / "file")


async def test_a_source_behind_tls_is_called_with_tls(tmp_path):
    hello = []

    async def serve(reader, writer):
        hello.append(await reader.readexactly(1))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError):
            await download(
                artifact(port, at=f"https://127.0.0.1:{port}"), tmp_path / "part", patience_s=0
            )
    assert hello == [b"\x16"]
