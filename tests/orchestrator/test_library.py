"""Muster as a library: runs submitted, watched, steered, and what came of them."""

import asyncio

import networkx as nx
import pytest

from agents.skills import Context, skill
from orchestrator import (
    AddTask,
    CancelTask,
    EditBatch,
    EditRefusedError,
    ForEach,
    Limits,
    RequestError,
    RunStatus,
    SetArgs,
)
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.facts import DeviceOnline
from orchestrator.core.lifecycle import TaskState
from protocol.types import Effect, Failed, FailureKind, RunId, Succeeded, TaskId
from tests.support.muster import muster, plan, spec, state_of, until, work


@skill(effect=Effect.PURE)
async def double(n: int) -> int:
    """Double a number."""
    return 2 * n


@skill(effect=Effect.PURE)
async def ask(context: Context) -> str:
    """Ask a person."""
    return f"they said {await context.ask('how much?')}"


async def test_outputs_flow_along_references_to_the_result():
    two = spec("two", "double", args={"n": {"$from": "one"}})
    async with muster({"a": [double]}) as (orchestrator, _):
        run = await orchestrator.submit(
            "8, please", plan=plan(spec("one", "double", args={"n": 2}), two)
        )
        result = await run.result()
    assert result.succeeded
    assert result.outputs == {"two": 8}
    assert not result.missing


async def test_a_repeated_key_returns_the_run_that_is_there():
    async with muster({"a": [work()]}) as (orchestrator, _):
        first = await orchestrator.submit("x", plan=plan("t"), key="k", owner="me")
        again = await orchestrator.submit("x", plan=plan("t"), key="k", owner="me")
        other = await orchestrator.submit("x", plan=plan("t"), key="k", owner="you")
        assert first.id == again.id != other.id
        assert len(orchestrator.runs()) == 2


async def test_a_plan_that_cannot_be_accepted_makes_no_run_peer_13():
    async with muster({"a": [work()]}) as (orchestrator, _):
        for bad in (
            plan("a", "b", after=[("a", "b"), ("b", "a")]),
            plan("a", after=[("nobody", "a")]),
            plan("a", "a"),
            EditBatch(0, ()),
        ):
            with pytest.raises(EditRefusedError) as caught:
                await orchestrator.submit("x", plan=bad)
            assert caught.value.reasons
        assert not orchestrator.runs()


async def test_an_unknown_run_is_a_clear_error():
    async with muster({}) as (orchestrator, _):
        with pytest.raises(UnknownRunError, match="no run 'nope'"):
            orchestrator.run(RunId("nope"))


async def test_events_resume_from_an_offset():
    async with muster({"a": [work()]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan("a", "b", after=[("a", "b")]))
        everything = [entry async for entry in run.events()]
        half = everything[len(everything) // 2].seq
        rest = [entry async for entry in run.events(after=half)]
    assert [entry.seq for entry in rest] == [e.seq for e in everything if e.seq > half]
    assert type(everything[-1].fact).__name__ == "RunEnded"


async def test_the_story_of_a_task_is_what_happened_to_it():
    async with muster({"a": [work()]}) as (orchestrator, _):
        await asyncio.sleep(1)  # past the first hello, which may tell that it has started
        run = await orchestrator.submit("x", plan=plan("a", "b"))
        await run.result()
        story = [type(entry.fact).__name__ for entry in await run.story(TaskId("a"))]
    assert story == ["EditAccepted", "TasksReady", "TaskPlaced", "AttemptSucceeded"]


async def test_cancelling_a_run_reaches_the_skill_that_runs_peer_7():
    stopped = asyncio.Event()

    @skill(effect=Effect.PURE)
    async def endless() -> None:
        """Run until told otherwise."""
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    async with muster({"a": [endless]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(spec("t", "endless"), spec("u", "endless")))
        await until(run, "t", TaskState.ACTIVE)
        await asyncio.sleep(1)
        await run.cancel("enough")
        result = await run.result()
        assert stopped.is_set()
    assert result.status is RunStatus.CANCELLED
    assert result.reason == "enough"
    assert set(result.missing) == {"t", "u"}


async def test_a_paused_run_places_nothing_until_it_is_resumed():
    async with muster({"a": [work(duration_s=1.0)]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan("a", "b", after=[("a", "b")]))
        await until(run, "a", TaskState.ACTIVE)
        await run.pause()
        await asyncio.sleep(60)
        assert state_of(run, "b") is TaskState.READY
        await run.resume()
        assert (await run.result()).succeeded


async def test_edits_change_what_has_not_started_and_nothing_else_i7():
    tasks = (spec("a", args={"seconds": 5}), spec("b", args={"seconds": 5}))
    async with muster({"d": [work()]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(*tasks, after=[("a", "b")]))
        await asyncio.sleep(1)
        with pytest.raises(EditRefusedError, match="only be cancelled"):
            await run.edit(EditBatch(1, (SetArgs(TaskId("a"), {}),)))
        await run.edit(EditBatch(1, (SetArgs(TaskId("b"), {}), AddTask(spec("c")))))
        with pytest.raises(EditRefusedError, match="read the run again"):
            await run.edit(EditBatch(1, (SetArgs(TaskId("b"), {"seconds": 1}),)))
        assert (await run.result()).succeeded
        assert asyncio.get_running_loop().time() < 8
    assert set(run.snapshot().outputs) == {"b", "c"}


async def test_a_person_answers_a_question():
    async with muster({"a": [ask]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(spec("t", "ask")))
        with pytest.raises(RequestError, match="does not ask"):
            await run.answer(TaskId("t"), "7")
        await until(run, "t", TaskState.INPUT_REQUIRED)
        await run.answer(TaskId("t"), 7, by="me")
        assert (await run.result()).outputs == {"t": "they said 7"}


async def test_a_lost_once_outcome_waits_for_somebody_who_knows():
    slow = spec("t", "pay", args={"seconds": 3600})
    async with muster({"a": [work("pay", effect=Effect.ONCE)]}) as (orchestrator, broker):
        run = await orchestrator.submit("x", plan=plan(slow))
        with pytest.raises(RequestError, match="outcome is not lost"):
            await run.settle(TaskId("t"), Succeeded("paid"))
        await until(run, "t", TaskState.ACTIVE)
        await asyncio.sleep(1)
        broker.stop()
        await until(run, "t", TaskState.UNKNOWN)
        await run.settle(TaskId("t"), Succeeded("paid"), by="the bank")
        assert (await run.result()).outputs == {"t": "paid"}


async def test_a_broker_restart_loses_nothing_peer_5():
    names = [f"t{n}" for n in range(40)]
    devices = {name: [work(duration_s=1.0)] for name in ("a", "b", "c")}
    async with muster(devices) as (orchestrator, broker):
        run = await orchestrator.submit("x", plan=plan(*names))
        await asyncio.sleep(3.5)
        broker.stop()
        await asyncio.sleep(2)
        broker.start()
        result = await run.result()
    assert result.succeeded
    assert len(result.outputs) == 40


async def test_for_each_device_joins_and_says_what_is_missing():
    loop = ForEach(min_success=1)
    each = spec("each", for_each=loop, limits=Limits(queue_s=10.0))
    async with muster({"a": [work(output="here")], "b": [work()]}) as (orchestrator, broker):
        await asyncio.sleep(1)
        broker.kill("muster/default/b")
        run = await orchestrator.submit("x", plan=plan(each))
        result = await run.result()
    assert result.succeeded
    assert result.outputs["each"]["items"] == ["a", "b"]


async def test_a_task_that_no_device_can_do_fails_soon_with_the_reason():
    async with muster({"a": [work()]}) as (orchestrator, _):
        began = asyncio.get_running_loop().time()
        result = await (await orchestrator.submit("x", plan=plan(spec("t", "fly")))).result()
        assert asyncio.get_running_loop().time() - began < 10
    assert "no known device offers skill 'fly'" in result.reason


async def test_the_scope_of_a_failure_is_its_descendants_peer_14():
    names = [f"t{n}" for n in range(30)]

    @skill(effect=Effect.PURE)
    async def broken() -> None:
        """Fail."""
        raise ValueError("no")

    tasks = [spec("bad", "broken"), spec("child"), *names]
    async with muster({"a": [broken, work()]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(*tasks, after=[("bad", "child")]))
        result = await run.result()
    assert result.status is RunStatus.FAILED
    assert result.reason.startswith("bad: ")
    assert set(result.outputs) == set(names)
    assert state_of(run, "child") is TaskState.SKIPPED


async def test_cancelling_one_task_skips_what_follows_it():
    async with muster({"a": [work()]}) as (orchestrator, _):
        tasks = (spec("a", args={"seconds": 100}), "b", "c")
        run = await orchestrator.submit("x", plan=plan(*tasks, after=[("a", "b")]))
        await asyncio.sleep(1)
        await run.edit(EditBatch(1, (CancelTask(TaskId("a")),)), by="me")
        result = await run.result()
        assert asyncio.get_running_loop().time() < 10
    assert result.missing == {"a": "cancelled by me"}
    assert result.outputs == {"c": None}


async def test_a_failed_outcome_may_be_settled_as_failed():
    slow = spec("t", "pay", args={"seconds": 3600})
    async with muster({"a": [work("pay", effect=Effect.ONCE)]}) as (orchestrator, broker):
        run = await orchestrator.submit("x", plan=plan(slow))
        await until(run, "t", TaskState.ACTIVE)
        await asyncio.sleep(1)
        broker.stop()
        await until(run, "t", TaskState.UNKNOWN)
        await run.settle(TaskId("t"), Failed(FailureKind.SKILL_ERROR, "not paid"), by="the bank")
        assert "not paid" in (await run.result()).reason


async def test_devices_are_seen_coming_and_going():
    async with muster({"a": [work()]}) as (orchestrator, broker):
        await asyncio.sleep(1)
        (device,) = orchestrator.devices()
        assert device.online
        broker.stop()
        await asyncio.sleep(8)
        assert not orchestrator.devices()[0].online
        broker.start()
        await asyncio.sleep(3)
        assert orchestrator.devices()[0].online
        entries = await orchestrator.coordinator.journal.entries()
    assert sum(isinstance(entry.fact, DeviceOnline) for entry in entries) == 2


async def test_the_graph_can_be_analysed_with_networkx():
    async with muster({"a": [work()]}) as (orchestrator, _):
        edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
        run = await orchestrator.submit("x", plan=plan("a", "b", "c", "d", after=edges))
        await run.result()
        graph = run.graph()
    assert [set(level) for level in nx.topological_generations(graph)] == [
        {"a"},
        {"b", "c"},
        {"d"},
    ]
    assert set(nx.get_node_attributes(graph, "state").values()) == {TaskState.SUCCEEDED}
    assert graph.edges["a", "b"]["on"] == "success"
