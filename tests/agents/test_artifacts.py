"""Big outputs and files between devices: real stores, served on loopback."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from agents.artifacts import MAX_VALUE_BYTES
from agents.builtin import files
from agents.runtime import Agent
from agents.sharing import sharing
from agents.skills import (
    MAX_OUTPUT_BYTES,
    BadInputError,
    BadOutputError,
    Context,
    Json,
    LeaseLostError,
    PermanentError,
    Skills,
    TemporaryError,
    skill,
)
from protocol import telemetry
from protocol.artifacts import KEY, Artifact
from protocol.artifacts.store import Store
from protocol.messages import Release
from protocol.transport.memory import MemoryBroker
from protocol.types import AttemptId, RunId, Succeeded, TaskId
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator

pytestmark = pytest.mark.real_time
BIG = ["x" * 1000] * 100


@skill
async def big() -> list[str]:
    """Return more than a message carries."""
    return BIG


@skill
async def length(texts: list[str]) -> int:
    """Count texts."""
    return len(texts)


@skill
async def anything(value: Json) -> Json:
    """Return what comes in, if it is small."""
    return value if value != BIG else "big"


@skill
async def size(context: Context, parts: list[Artifact] | None, note: str = "") -> int:
    """Count the bytes of files."""
    paths = [await context.fetch(each) for each in parts or []]
    return sum(path.stat().st_size for path in paths) + len(note)


@asynccontextmanager
async def device(folder, name, **options):
    """What one device has: yields its store, and makes contexts for its attempts."""
    store = Store(folder / name / "store", **options)
    async with sharing(store, "127.0.0.1", 0) as artifacts:

        def context(attempt: str = "a", **more) -> Context:
            return Context(
                attempt=AttemptId(attempt),
                run=RunId("run"),
                task=TaskId("t"),
                artifacts=artifacts,
                **more,
            )

        yield store, context
    store.close()


@pytest.fixture
async def one(tmp_path):
    async with device(tmp_path, "one") as found:
        yield found


@pytest.fixture
async def two(tmp_path):
    async with device(tmp_path, "two") as found:
        yield found


def folder_skills(folder) -> Skills:
    folder.mkdir(parents=True, exist_ok=True)
    return Skills(files.skills([folder]))


async def test_big_output_travels_as_a_reference_and_is_the_value_again(one, two):
    (_, here), (store, there) = one, two
    reference = await big.call(here(), {})
    assert list(reference) == [KEY]
    assert reference[KEY]["media_type"] == "application/json"
    assert await length.call(there(), {"texts": reference}) == 100
    assert await anything.call(there(), {"value": reference}) == "big"
    assert await length.call(here(), {"texts": reference}) == 100, "no need to fetch one's own"
    assert store.offered(reference[KEY]["sha256"]) is None, "a copy is offered to nobody"


async def test_knowing_a_hash_opens_nothing_that_is_here_already(one, two):
    reference = await big.call(one[1](), {})
    await length.call(two[1](), {"texts": reference})
    reference[KEY]["token"] = "0" * 64
    for _, context in (one, two):
        with pytest.raises(BadInputError, match="does not take its token"):
            await length.call(context(), {"texts": reference})


async def test_progress_of_a_fetch_is_reported(one, two):
    told = []
    reference = await big.call(one[1](), {})
    context = two[1](on_progress=lambda share, note: told.append((share, note)))
    await length.call(context, {"texts": reference})
    assert told[-1] == (
        1.0,
        "arguments.texts: fetched 100301 of 100301 bytes",
    )


async def test_a_file_moves_from_one_device_to_another(one, two, tmp_path):
    (store, here), (_, there) = one, two
    source, target = folder_skills(tmp_path / "a"), folder_skills(tmp_path / "b")
    data = bytes(range(256)) * 4000
    (tmp_path / "a" / "data.bin").write_bytes(data)

    shared = await source["files.share"].call(here(), {"path": "data.bin"})
    args = {"artifact": shared, "path": "sub/copy.bin"}
    written = await target["files.fetch"].call(there(), args)

    assert (tmp_path / "b" / "sub" / "copy.bin").read_bytes() == data
    assert written == {"path": "sub/copy.bin", "size_bytes": len(data)}
    assert shared[KEY]["name"] == "data.bin"
    assert (tmp_path / "b" / "sub" / "copy.bin").stat().st_mode & 0o200, "the copy is its owner's"
    store.release([RunId("run")])
    other = {"artifact": await source["files.share"].call(here(), {"path": "data.bin"})}
    assert store.offered(other["artifact"][KEY]["sha256"])


async def test_a_text_file_is_also_a_value_and_any_other_is_not(one, two, tmp_path):
    (_, here), (_, there) = one, two
    source = folder_skills(tmp_path / "a")
    for name, data in (("a.txt", b"text"), ("b.txt", b"\xff"), ("c.bin", b"x")):
        (tmp_path / "a" / name).write_bytes(data)
    text, broken, binary = [
        await source["files.share"].call(here(), {"path": name})
        for name in ("a.txt", "b.txt", "c.bin")
    ]
    assert await anything.call(there(), {"value": [text]}) == ["text"]
    with pytest.raises(BadInputError, match=r"arguments\.value: it is not text/plain"):
        await anything.call(there(), {"value": broken})
    with pytest.raises(BadInputError, match=r"arguments\.value\.0: this is a file"):
        await anything.call(there(), {"value": [binary]})
    assert await size.call(there(), {"parts": [text, binary], "note": "!"}) == 6
    assert await size.call(there(), {"parts": None}) == 0


async def test_what_a_skill_fetched_stays_until_the_attempt_ends(one, two):
    reference = await big.call(one[1](), {})
    store, there = two
    sha256 = reference[KEY]["sha256"]

    @skill
    async def forgetful(context: Context, part: Artifact) -> int:
        """Have the run released while its file is read."""
        path = await context.fetch(part)
        store.release([context.run])
        return path.stat().st_size

    assert await forgetful.call(there(), {"part": reference}) > MAX_OUTPUT_BYTES
    assert store.find(sha256) is None


async def test_values_too_big_are_refused_before_anything_is_fetched(two):
    content = {
        "sha256": "ab" * 32,
        "size_bytes": MAX_VALUE_BYTES // 2 + 1,
        "media_type": "application/json",
        "urls": [f"http://127.0.0.1:1/artifacts/{'ab' * 32}"],
        "token": "t",
    }
    with pytest.raises(BadInputError, match=r"value\.0, arguments\.value\.1: 67108866 bytes are"):
        await anything.call(two[1](), {"value": [{KEY: content}, {KEY: content}]})
    with pytest.raises(BadInputError, match=r"arguments\.value.*no artifact reference"):
        await anything.call(two[1](), {"value": {KEY: {**content, "token": ""}}})
    assert await anything.call(two[1](), {"value": KEY}) == KEY


async def test_an_output_no_task_could_take_is_refused(one, monkeypatch):
    monkeypatch.setattr("agents.skills.MAX_VALUE_BYTES", 70_000)
    with pytest.raises(BadOutputError, match="at most 70000 are carried: return an Artifact"):
        await big.call(one[1](), {})


async def test_where_artifacts_are_off_each_way_to_them_says_so(one, tmp_path):
    (_, here) = one
    off = replace(here(), artifacts=None)
    reference = await big.call(here(), {})
    with pytest.raises(BadOutputError, match=r"owner turns them on with \[artifacts\]"):
        await big.call(off, {})
    for call, args in ((length, {"texts": reference}), (size, {"parts": [reference]})):
        with pytest.raises(PermanentError, match=r"owner turns them on with \[artifacts\]"):
            await call.call(off, args)
    with pytest.raises(PermanentError, match="artifacts are off"):
        await off.share(tmp_path)


async def test_a_full_store_fails_for_now_what_never_fits_or_is_gone_for_good(tmp_path, one, two):
    reference = await big.call(one[1](), {})
    size_bytes = reference[KEY]["size_bytes"]
    async with device(tmp_path, "full", quota_bytes=size_bytes) as (store, full):
        store.reserve(1)
        with pytest.raises(TemporaryError, match="1 are taken"):
            await big.call(full(), {})
        with pytest.raises(TemporaryError, match="1 are taken"):
            await length.call(full(), {"texts": reference})
    async with device(tmp_path, "small", quota_bytes=1000) as (_, small):
        with pytest.raises(PermanentError, match="more than the whole quota"):
            await big.call(small(), {})
        with pytest.raises(PermanentError, match="more than the whole quota"):
            await length.call(small(), {"texts": reference})
    one[0].release([RunId("run")])
    with pytest.raises(BadInputError, match=r"arguments\.texts: http.*does not have it any more"):
        await length.call(two[1](), {"texts": reference})


async def test_a_lapsed_lease_ends_a_fetch_that_is_interrupted(one, two):
    reference = await big.call(one[1](), {})
    reference[KEY]["urls"] = [f"http://127.0.0.1:1/artifacts/{reference[KEY]['sha256']}"]
    with pytest.raises(LeaseLostError):
        await length.call(two[1](lease_live=lambda: False), {"texts": reference})


async def test_an_agent_hands_artifacts_to_its_skills_and_drops_them_when_told(tmp_path):
    broker = MemoryBroker()
    store = Store(tmp_path)
    async with (
        sharing(store, "127.0.0.1", 0) as artifacts,
        ScriptedCoordinator(broker.transport("coordinator")) as coordinator,
        Agent("laptop", [big], transport=broker.transport("laptop"), artifacts=artifacts),
    ):
        await coordinator.beat(connected=True)
        coordinator.say(offer("a", skill="big"))
        outcome = await coordinator.outcome()
        assert isinstance(outcome, Succeeded)
        sha256 = outcome.output[KEY]["sha256"]
        assert store.offered(sha256)
        coordinator.say(Release((RUN,)))
        coordinator.say(offer("b", skill="nothing"))
        await coordinator.outcome()
    assert store.offered(sha256) is None
    store.close()


async def test_a_store_that_cannot_delete_or_sweep_fails_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(telemetry, "_threshold", 0)
    store = Store(tmp_path)
    store.close()
    with capture_logs() as lines:
        async with sharing(store, "::1", 0) as artifacts:
            await artifacts.release([RUN])
    assert {"artifacts_not_released"} <= {line["event"] for line in lines}


async def test_an_error_beside_a_shared_store_stays_as_it_is(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(LookupError):
        async with sharing(store, "127.0.0.1", 0):
            raise LookupError
    store.close()
