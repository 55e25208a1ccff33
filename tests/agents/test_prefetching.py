"""Artifacts fetched ahead of an offer: real stores, served on loopback."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from agents import prefetching
from agents.actions import DropArtifacts, FetchAhead
from agents.artifacts import Artifacts
from agents.prefetching import Prefetching
from agents.runtime import Agent
from agents.sharing import sharing
from agents.skills import Context, skill
from protocol import telemetry
from protocol.artifacts import KEY, Artifact
from protocol.artifacts.fetching import download
from protocol.artifacts.store import Store
from protocol.messages import Phase, Prefetch, Report
from protocol.transport.memory import MemoryBroker
from protocol.types import AttemptId, RunId, Succeeded, TaskId
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator

pytestmark = pytest.mark.real_time
SIZE = 100_301


@skill
async def big(letter: str = "x") -> list[str]:
    """Return more than a message carries."""
    return [letter * 1000] * 100


@skill
async def length(texts: list[str]) -> int:
    """Count texts."""
    return len(texts)


class Slow:
    """Downloads that begin when they may, and are counted."""

    def __init__(self) -> None:
        self.count = 0
        self.may = asyncio.Event()
        self.may.set()
        self.begun = asyncio.Event()

    async def __call__(self, artifact, part, **rest) -> None:
        self.count += 1
        self.begun.set()
        await self.may.wait()
        await download(artifact, part, **rest)


def context(artifacts, attempt="a", run="run"):
    return Context(
        attempt=AttemptId(attempt), run=RunId(run), task=TaskId("t"), artifacts=artifacts
    )


@asynccontextmanager
async def source(folder):
    """A device that has something big: yields its artifacts."""
    store = Store(folder / "source")
    async with sharing(store, "127.0.0.1", 0) as artifacts:
        yield artifacts
    store.close()


@asynccontextmanager
async def target(folder, **options):
    """A device that takes hints: yields what follows them, its artifacts and its downloads."""
    store, slow = Store(folder / "target", **options), Slow()
    artifacts = Artifacts(store, url="http://127.0.0.1:1", download=slow)
    async with asyncio.TaskGroup() as group:
        following = Prefetching(artifacts)

        def hint(*references, run=RUN):
            following.do(FetchAhead(run, references), group)

        def release(*runs):
            following.do(DropArtifacts(runs), group)

        yield hint, release, artifacts, slow
    store.close()


async def until(condition):
    async with asyncio.timeout(15.0):
        while not condition():  # noqa: ASYNC110 - files appear in silence
            await asyncio.sleep(0.005)


async def test_what_was_hinted_at_is_there_though_its_source_is_gone_by_then(tmp_path):
    async with target(tmp_path) as (hint, _, artifacts, slow):
        async with source(tmp_path) as there:
            reference = await big.call(context(there), {})
            hint(reference, reference)
            hint(reference)
            await until(lambda: artifacts.store.find(reference[KEY]["sha256"]))
        assert await length.call(context(artifacts), {"texts": reference}) == 100
        assert slow.count == 1
        cost = artifacts.cost(AttemptId("a"))
        assert cost.size_bytes == 0
        assert artifacts.cost(AttemptId("a")) is None


async def test_an_attempt_joins_the_fetch_that_is_under_way(tmp_path):
    async with source(tmp_path) as there, target(tmp_path) as (hint, _, artifacts, slow):
        reference = await big.call(context(there), {})
        slow.may.clear()
        hint(reference)
        await slow.begun.wait()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(length.call(context(artifacts), {"texts": reference}))
            await asyncio.sleep(0.05)
            assert not task.done()
            slow.may.set()
        assert task.result() == 100
        assert slow.count == 1
        cost = artifacts.cost(AttemptId("a"))
        assert cost.size_bytes == 0
        assert cost.waited_s > 0.0


async def test_what_an_attempt_fetches_itself_is_measured(tmp_path):
    async with source(tmp_path) as there, target(tmp_path) as (_, _, artifacts, _):
        reference = await big.call(context(there), {})
        assert await length.call(context(artifacts), {"texts": reference}) == 100
        cost = artifacts.cost(AttemptId("a"))
        assert cost.size_bytes == SIZE
        assert 0.0 < cost.fetch_s <= cost.waited_s


async def test_a_hint_that_comes_to_nothing_is_silent_and_the_attempt_goes_on_itself(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(telemetry, "_threshold", 0)
    async with source(tmp_path) as there, target(tmp_path) as (hint, _, artifacts, slow):
        reference = await big.call(context(there), {})
        content = reference[KEY]
        dead = {KEY: {**content, "urls": [f"http://127.0.0.1:1/artifacts/{content['sha256']}"]}}
        with capture_logs() as lines:
            hint({"no": "artifact"}, {KEY: {"sha256": "ab"}}, dead)
            await until(lambda: len(lines) == 3)
        assert {(line["event"], line["log_level"]) for line in lines} == {
            ("prefetch_dropped", "debug")
        }
        assert await length.call(context(artifacts), {"texts": reference}) == 100
        assert slow.count == 2


async def test_a_hint_takes_no_more_than_half_of_the_room_that_is_left(tmp_path):
    async with source(tmp_path) as there:
        reference = await big.call(context(there), {})
        quota = 2 * SIZE - 1
        async with target(tmp_path, quota_bytes=quota) as (hint, _, _, slow):
            hint(reference)
        assert slow.count == 0
        assert not (tmp_path / "target" / "blobs" / reference[KEY]["sha256"]).exists()


async def test_a_released_run_fetches_nothing_more_and_leaves_nothing(tmp_path):
    async with source(tmp_path) as there, target(tmp_path) as (hint, release, artifacts, slow):
        reference = await big.call(context(there), {})
        slow.may.clear()
        hint(reference)
        await slow.begun.wait()
        release(RUN)
        await until(lambda: not artifacts.store.size_bytes())
        hint(reference)  # it was on its way when the run was released
        await asyncio.sleep(0.02)
        assert slow.count == 1


async def test_a_hint_that_ends_while_it_is_written_down_holds_nothing(tmp_path):
    """What is held is never deleted: a fetch that is cancelled then would keep it for good."""
    async with source(tmp_path) as there, target(tmp_path) as (_, _, artifacts, _):
        artifact = Artifact.read(await big.call(context(there), {}), "here")
        hold, holding, may = artifacts.store.hold, threading.Event(), threading.Event()

        def slow_hold(sha256):
            holding.set()
            may.wait(5.0)
            hold(sha256)

        artifacts.store.hold = slow_hold
        async with asyncio.TaskGroup() as group:
            task = group.create_task(artifacts.prefetch(artifact, RUN))
            await until(holding.is_set)
            task.cancel()
            await asyncio.sleep(0)
            may.set()
        artifacts.store.hold = hold
        await length.call(context(artifacts), {"texts": artifact.plain()})
        await artifacts.close(AttemptId("a"))
        await artifacts.release([RUN, RunId("run")])
        assert artifacts.store.find(artifact.content.sha256) is None


async def test_only_so_many_at_once_and_so_many_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(prefetching, "WAITING", 3)
    monkeypatch.setattr(prefetching, "RELEASED_KEPT", 1)
    async with source(tmp_path) as there, target(tmp_path) as (hint, release, artifacts, slow):
        references = [await big.call(context(there), {"letter": each}) for each in "abcd"]
        slow.may.clear()
        hint(*references)
        await until(lambda: slow.count >= prefetching.AT_ONCE)
        await asyncio.sleep(0.05)
        assert slow.count == prefetching.AT_ONCE
        slow.may.set()
        await until(lambda: artifacts.store.find(references[2][KEY]["sha256"]))
        release("other", "another")
        hint(references[3], run=RunId("other"))
        await until(lambda: artifacts.store.find(references[3][KEY]["sha256"]))


async def test_an_agent_follows_hints_and_says_what_it_had_to_fetch(tmp_path):
    broker, store = MemoryBroker(), Store(tmp_path / "target")
    async with (
        source(tmp_path) as there,
        sharing(store, "127.0.0.1", 0) as artifacts,
        ScriptedCoordinator(broker.transport("coordinator")) as coordinator,
        Agent("laptop", [length], transport=broker.transport("laptop"), artifacts=artifacts),
    ):
        await coordinator.beat(connected=True)
        assert coordinator.cards[-1].card.prefetches
        ahead = await big.call(context(there), {"letter": "a"})
        coordinator.say(Prefetch(RUN, 1, "length", (ahead,)))
        await until(lambda: store.find(ahead[KEY]["sha256"]))
        late = await big.call(context(there), {"letter": "b"})
        reports = []
        for name, reference in (("a", ahead), ("b", late)):
            coordinator.say(offer(name, skill="length", args={"texts": reference}))
            while (report := await coordinator.reply(Report)).phase is not Phase.FINISHED:
                pass
            assert report.outcome == Succeeded(100)
            reports.append(report)
    assert [report.fetched_bytes for report in reports] == [0, SIZE]
    assert reports[1].fetch_s > 0.0
    store.close()


async def test_a_release_waits_for_what_is_being_written_down(tmp_path):
    """A blob that is put down after its run was released would stay until it is a week old."""
    async with source(tmp_path) as there, target(tmp_path) as (hint, release, artifacts, _):
        reference = await big.call(context(there), {})
        finish, finishing, may = artifacts.store.finish, threading.Event(), threading.Event()

        def slow_finish(blob, run):
            finishing.set()
            may.wait(5.0)
            return finish(blob, run)

        artifacts.store.finish = slow_finish
        hint(reference)
        await until(finishing.is_set)
        release(RUN)
        await asyncio.sleep(0.05)  # as long as a release takes, and more
        may.set()
    assert not (tmp_path / "target" / "blobs" / reference[KEY]["sha256"]).exists()
