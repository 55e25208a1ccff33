"""What a whole small Muster tells people of warm resources, on the virtual clock."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from agents.runtime import Agent
from agents.simulated import SimulatedAdapter
from agents.warm.adapters import ResourceKind
from orchestrator import Needs, Orchestrator, stories
from orchestrator.core import facts as f
from orchestrator.core.retention.keeping import ByLease
from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.tuning import Tuning
from orchestrator.render import graph, story
from orchestrator.service import documents
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, PinScope, ResourceNeed
from tests.support.muster import plan, spec, work
from tests.support.service import served

LOAD_S, SEARCH_S = 4.0, 2.0
PHONE = DeviceCard(DeviceId("phone"), labels={"class": "phone"})


def infer(name, key="s", scope=PinScope.RUN):
    need = ResourceNeed("session", key, 1.0, scope)
    return spec(name, "infer", needs=Needs(resources=(need,)))


TURNS = plan(
    infer("t0"), spec("look", "search"), infer("t1"), after=[("t0", "look"), ("look", "t1")]
)


@asynccontextmanager
async def fleet(adapter=None, **more):
    """Start a GPU host with sessions, a phone, and a coordinator that answers; yield it and us."""
    broker = MemoryBroker()
    async with served(broker=broker, **more) as (orchestrator, client):
        kinds = {"session": ResourceKind(adapter or SimulatedAdapter(LOAD_S), 8.0)}
        gpu = Agent(
            "gpu",
            [work("infer", duration_s=1.0)],
            transport=broker.transport("muster/default/gpu"),
            resources=kinds,
        )
        phone = Agent(
            PHONE,
            [work("search", duration_s=SEARCH_S)],
            transport=broker.transport("muster/default/phone"),
        )
        async with gpu, phone:
            await asyncio.sleep(1.0)
            yield orchestrator, client


async def reached(run, kind):
    """Wait for a fact of a kind."""
    async for entry in run.events():
        if type(entry.fact) is kind:
            return


async def test_a_device_says_what_it_keeps_warm_for_whom_and_why():
    async with fleet() as (orchestrator, client):
        run = await orchestrator.submit("x", plan=TURNS)
        await reached(run, f.PinGranted)
        (gpu, _) = orchestrator.devices()
        (warm,) = gpu.warm
        assert (warm.key, warm.run, warm.state) == ("s", run.id, PinState.PROTECTED)
        assert (warm.awaits, warm.reload_s) == ("search", pytest.approx(LOAD_S, abs=0.1))
        assert run.snapshot().warm == (warm,)
        listed = await client.call("devices", {})
        assert documents.devices_from(listed["devices"])[0].warm[0].key == "s"
        json.dumps(listed, allow_nan=False)
        await run.result()
        assert orchestrator.devices()[0].warm == run.snapshot().warm == ()


async def test_show_tells_what_a_run_keeps_warm():
    async with fleet() as (orchestrator, client):
        run = await orchestrator.submit("x", plan=TURNS)
        await reached(run, f.PinGranted)
        shown = await client.call("show", {"run": run.id})
        seen = documents.run_from(shown["run"], shown["tasks"])
        assert "session/s  protected  on gpu" in graph.graph(seen).plain
        assert "warm" not in (await client.call("runs", {}))["runs"][0]


async def test_a_run_is_told_what_became_of_its_resources():
    async with fleet() as (orchestrator, client):
        run = await orchestrator.submit("x", plan=TURNS)
        await run.result()
        told = await client.call("events", {"run": run.id})
    lines = [story.line(event)[10:] for event in told["events"]]
    for said in (
        "loaded session/s on gpu in 4.0 s",
        "kept session/s on gpu for 4.0 s: next use waits for search on phone (reload 4.0 s",
        "next use of session/s on gpu was ready after 2.0 s: it waited for search on phone",
        "let session/s on gpu go: last use",
    ):
        assert any(line.startswith(said) for line in lines), (said, lines)


async def test_the_story_of_a_task_has_what_it_needs_and_ends_with_its_end():
    async with fleet() as (orchestrator, client):
        more = plan(infer("t0"), infer("other", "o"), spec("look", "search"), infer("t1"),
                    after=[("t0", "look"), ("look", "t1")])  # fmt: skip
        run = await orchestrator.submit("x", plan=more)
        await run.result()
        first, second, look = [await run.story(task) for task in ("t0", "t1", "look")]
        told = (await client.call("story", {"run": run.id, "task": "t1"}))["events"]

    def kinds(entries):
        return [type(e.fact) for e in entries if hasattr(e.fact, "resource")]

    assert kinds(first)[:2] == [f.ResourceLoaded, f.PinGranted]
    assert f.GapObserved not in kinds(first)
    assert kinds(second)[-1] is f.ResourceReleased
    assert kinds(second).count(f.ResourceLoaded) == 1
    assert {entry.fact.resource[1] for entry in second if hasattr(entry.fact, "resource")} == {"s"}
    assert [entry.seq for entry in second] == sorted({entry.seq for entry in second})
    assert [event["seq"] for event in told] == [entry.seq for entry in second]
    assert kinds(look) == []


async def test_a_story_is_the_same_however_many_entries_are_read_at_once(monkeypatch):
    async with fleet() as (orchestrator, _):
        run = await orchestrator.submit("x", plan=TURNS)
        await run.result()
        whole = await run.story("t0")
        monkeypatch.setattr(stories, "PAGE", 1)
        assert await run.story("t0") == whole


async def test_the_story_of_a_task_that_is_to_come_goes_up_to_now():
    async with fleet() as (orchestrator, _):
        run = await orchestrator.submit("x", plan=TURNS)
        await reached(run, f.PinGranted)
        assert f.PinGranted in [type(entry.fact) for entry in await run.story("t1")]


async def test_shared_resources_are_shown_with_their_device_and_with_no_run():
    async with fleet() as (orchestrator, _):
        model = infer("t", "model", PinScope.SHARED)
        run = await orchestrator.submit("x", plan=plan(model))
        await run.result()
        (warm,) = orchestrator.devices()[0].warm
        assert (warm.key, warm.run, warm.state) == ("model", None, PinState.EVICTABLE)
        assert run.snapshot().warm == ()
        facts = [type(entry.fact) for entry in await run.story("t")]
        assert f.ResourceLoaded not in facts


@pytest.mark.parametrize(("pinning", "loads"), [("index", 1), ("lease", 1), ("none", 2)])
async def test_how_sessions_are_kept_is_chosen_by_name(pinning, loads):
    adapter = SimulatedAdapter(LOAD_S)
    async with fleet(adapter, pinning=pinning) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=TURNS)
        assert (await run.result()).succeeded
    assert adapter.loads == loads


async def test_the_rule_that_was_chosen_is_the_engines():
    async with fleet(pinning="lease") as (orchestrator, _):
        assert isinstance(orchestrator.coordinator.engine.state.keeping, ByLease)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pinning": "lru"}, "pinning is 'index', 'lease', 'none', not 'lru'"),
        ({"tuning": Tuning(pin_cap_s=-1.0)}, "pin_cap_s is a number of seconds from 0 on"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_clear_error(given, words):
    transport = MemoryBroker().transport("muster/default/coordinator")
    with pytest.raises(ValueError, match=words):
        Orchestrator(transport, **given)
