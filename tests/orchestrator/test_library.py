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
    RunLimits,
    RunStatus,
    SetArgs,
)
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.facts import DeviceOnline, TaskPlaced, TasksReady
from orchestrator.core.lifecycle import TaskState
from orchestrator.journal import FencedError, JournalError, MemoryJournal, MemoryStore
from orchestrator.planner import PlanningError
from orchestrator.planner.scripted import ScriptedPlanner
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, Failed, FailureKind, RunId, Succeeded, TaskId
from tests.support.muster import muster, plan, spec, work


@skill(effect=Effect.PURE)
async def double(n: int) -> int:
    """Double a number."""
    return 2 * n


@skill(effect=Effect.PURE)
async def ask(context: Context) -> str:
    """Ask a person."""
    return f"they said {await context.ask('how much?')}"


def state_of(run, name):
    return next(task.state for task in run.snapshot().tasks if task.spec.id == name)


async def until(run, name, state):
    async for _ in run.events():
        if state_of(run, name) is state:
            return


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
        with pytest.raises(RequestError, match="not unknown"):
            await run.settle(TaskId("t"), Succeeded("paid"))
        await until(run, "t", TaskState.ACTIVE)
        await asyncio.sleep(1)
        broker.stop()
        await until(run, "t", TaskState.UNKNOWN)
        await run.settle(TaskId("t"), Succeeded("paid"), by="the bank")
        assert (await run.result()).outputs == {"t": "paid"}


async def test_the_planner_is_asked_and_its_plan_carried_out():
    planner = ScriptedPlanner([plan("a", "b", after=[("a", "b")])], delay_s=3.0)
    async with muster({"d": [work()]}, planner=planner) as (orchestrator, _):
        await asyncio.sleep(1)
        run = await orchestrator.submit("do it", parameters={"n": 1})
        assert run.snapshot().status is RunStatus.PLANNING
        assert (await run.result()).succeeded
    assert planner.asked[0].parameters == {"n": 1}
    assert [view.card.device for view in planner.asked[0].fleet] == ["d"]


class Broken:
    """A planner that misbehaves in a given way."""

    def __init__(self, how):
        self.how = how

    async def propose(self, _):
        return await self.how()

    async def revise(self, _):
        return await self.how()


async def _raise():
    raise ZeroDivisionError("oops")


async def _refuse():
    raise PlanningError("I would rather not")


async def _sleep():
    await asyncio.sleep(1e6)


async def _nonsense():
    return plan("a", after=[("nobody", "a")])


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (_raise, "ZeroDivisionError: oops"),
        (_refuse, "I would rather not"),
        (_sleep, "did not answer within 30 s"),
        (_nonsense, "nobody"),
    ],
)
async def test_a_planner_that_fails_ends_the_run_with_the_reason_peer_11(how, why):
    async with muster({"d": [work()]}, planner=Broken(how)) as (orchestrator, _):
        run = await orchestrator.submit("do it", limits=RunLimits(plan_s=30.0))
        result = await run.result()
    assert result.status is RunStatus.FAILED
    assert why in result.reason


async def test_without_a_planner_a_request_alone_fails_with_a_reason():
    async with muster({}) as (orchestrator, _):
        result = await (await orchestrator.submit("do it")).result()
    assert "there is no planner" in result.reason


async def test_the_planner_mends_a_failure():
    retry = EditBatch(1, (SetArgs(TaskId("t"), {}),))

    @skill(effect=Effect.PURE)
    async def picky(bad: bool = False) -> str:  # noqa: FBT001, FBT002
        """Fail when asked to."""
        if bad:
            raise ValueError("bad")
        return "fine"

    planner = ScriptedPlanner([plan(spec("t", "picky", args={"bad": True}))], [retry])
    async with muster({"d": [picky]}, planner=planner) as (orchestrator, _):
        result = await (await orchestrator.submit("do it")).result()
    assert result.outputs == {"t": "fine"}
    assert "bad" in planner.asked[1].cause


async def test_a_thinking_planner_holds_up_nobody_else_peer_2():
    broken = spec("broken", "picky")

    @skill(effect=Effect.PURE)
    async def picky() -> None:
        """Fail."""
        raise ValueError("bad")

    planner = ScriptedPlanner([plan(broken, *"abcdef", after=["ab", "bc", "cd", "de", "ef"])])
    planner.revisions = ()
    slow = Broken(_sleep)
    slow.propose = planner.propose
    async with muster({"d": [picky, work(duration_s=0.1)]}, planner=slow) as (orchestrator, _):
        run = await orchestrator.submit("x", limits=RunLimits(plan_s=20.0))
        entries = [entry async for entry in run.events()]
    ready, gaps = {}, []
    for entry in entries:
        if isinstance(entry.fact, TasksReady):
            ready |= dict.fromkeys(entry.fact.tasks, entry.elapsed)
        elif isinstance(entry.fact, TaskPlaced) and entry.fact.task in "bcdef":
            gaps.append(entry.elapsed - ready[entry.fact.task])
    assert len(gaps) == 5
    assert max(gaps) < 0.05
    assert entries[-1].elapsed > 20


async def test_a_journal_brings_back_runs_and_repeats_nothing_finished_peer_12():
    calls = []

    @skill(effect=Effect.PURE)
    async def note(name: str) -> str:
        """Leave a trace."""
        calls.append(name)
        await asyncio.sleep(2)
        return name

    tasks = [spec(name, "note", args={"name": name}) for name in "abcd"]
    journal = MemoryJournal()
    async with muster({}) as (_, broker):
        pass
    async with muster({"d": [note]}, journal=journal, broker=broker) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(*tasks, after=["ab", "bc", "cd"]))
        await until(run, "b", TaskState.SUCCEEDED)
    async with muster({"d": [note]}, journal=journal, broker=broker) as (orchestrator, _):
        result = await orchestrator.run(run.id).result()
    assert result.outputs == {"d": "d"}
    assert calls.count("a") == calls.count("b") == calls.count("d") == 1


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


async def test_a_hopeless_task_still_fails_soon_after_a_restart_i10():
    journal = MemoryJournal()
    async with muster({}, journal=journal) as (orchestrator, broker):
        run = await orchestrator.submit("x", plan=plan(spec("t", "fly")))
        await asyncio.sleep(2)
    async with muster({}, journal=journal, broker=broker) as (orchestrator, _):
        began = asyncio.get_running_loop().time()
        result = await orchestrator.run(run.id).result()
        assert asyncio.get_running_loop().time() - began < 10
    assert "no known device" in result.reason


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


async def test_a_journal_that_fails_at_the_end_does_not_hide_what_went_wrong(tmp_path):
    class Failing(MemoryJournal):
        async def __aexit__(self, kind, error, trace):
            if error is None:
                raise JournalError(tmp_path, "the disk is full")
            error.add_note("the disk is full")

    with pytest.raises(KeyError) as caught:
        async with muster({}, journal=Failing()):
            raise KeyError
    assert caught.value.__notes__ == ["the disk is full"]
    with pytest.raises(JournalError, match="the disk is full"):
        async with muster({}, journal=Failing()):
            pass


async def test_a_coordinator_whose_journal_is_taken_over_stops_and_says_so():
    store, broker = MemoryStore(), MemoryBroker()

    async def former():
        journal = MemoryJournal(store)
        async with (
            muster({}, journal=journal, broker=broker) as (orchestrator, _),
            MemoryJournal(store),
        ):
            with pytest.raises(FencedError):
                await orchestrator.submit("x", plan=plan("t"))
            await orchestrator.wait()

    with pytest.raises(ExceptionGroup) as caught:
        await former()
    assert caught.group_contains(FencedError, match="another coordinator has taken over")
    kinds = [type(entry.fact).__name__ for each in store.entries.values() for entry in each]
    assert "RunSubmitted" not in kinds
