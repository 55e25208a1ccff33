"""What the coordinator does for who calls it over the wire: runs, events, edits, answers."""

import asyncio

import pytest

from agents.skills import Context, skill
from orchestrator.client import CallFailedError
from orchestrator.core.snapshot import TaskState
from orchestrator.journal import JournalError, MemoryJournal
from orchestrator.service import documents
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, FailureKind
from tests.support.muster import work
from tests.support.service import TWO, served


@skill(effect=Effect.PURE)
async def ask(context: Context) -> str:
    """Ask a person."""
    return f"they said {await context.ask('how much?')}"


async def ended(client, run):
    after, facts, over = 0, [], False
    while not over:
        answer = await client.call("events", {"run": run, "after": after, "wait_s": 20.0})
        facts += [event["fact"] for event in answer["events"]]
        after, over = answer["next"], answer["ended"]
    return facts


async def reached(orchestrator, run, name, state):
    async for _ in orchestrator.run(run).events():
        if any(
            t.spec.id == name and t.state is state for t in orchestrator.run(run).snapshot().tasks
        ):
            return


async def test_a_request_submitted_over_the_wire_runs_and_is_told_event_by_event():
    async with served({"a": [work(duration_s=3.0)]}) as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        facts = await ended(client, run)
        assert facts[0] == "RunSubmitted"
        assert facts.count("AttemptSucceeded") == 2
        assert facts[-1] == "RunEnded"
        shown = await client.call("show", {"run": run})
    seen = documents.run_from(shown["run"], shown["tasks"])
    assert [task.state for task in seen.tasks] == [TaskState.SUCCEEDED] * 2
    assert shown["run"]["counts"] == {"succeeded": 2}


async def test_a_repeated_key_makes_no_second_run():
    async with served() as (orchestrator, client):
        args = {"request": "x", "plan": TWO, "key": "k"}
        first, again = [await client.call("submit", args) for _ in range(2)]
        assert first["run"] == again["run"]
        assert len(orchestrator.runs()) == 1


async def test_events_wait_for_news_and_end_with_nothing_when_there_is_none():
    async with served() as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        loop = asyncio.get_running_loop()
        told = await client.call("events", {"run": run})
        began = loop.time()
        silence = await client.call("events", {"run": run, "after": told["next"], "wait_s": 3.0})
        assert silence["events"] == []
        assert silence["next"] == told["next"]
        assert not silence["ended"]
        assert 3.0 <= loop.time() - began < 4.0


async def test_what_does_not_fit_on_a_page_is_on_the_next(monkeypatch):
    monkeypatch.setattr(documents, "PAGE_BYTES", 700)
    async with served({"a": [work()]}) as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        facts = await ended(client, run)
        assert facts[-1] == "RunEnded"
        page = await client.call("show", {"run": run})
        rest = await client.call("show", {"run": run, "start": page["next"]})
        assert [task["spec"]["id"] for task in page["tasks"] + rest["tasks"]] == ["one", "two"]
        assert rest["next"] is None
        one = await client.call("story", {"run": run, "task": "one"})
        more = await client.call("story", {"run": run, "task": "one", "after": one["next"]})
        assert more["events"][0]["seq"] > one["events"][-1]["seq"]


async def test_what_is_too_large_to_send_is_left_out_and_its_size_told(monkeypatch):
    monkeypatch.setattr(documents, "ITEM_BYTES", 2000)
    async with served({"a": [work(output="x" * 3000)]}) as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        await ended(client, run)
        shown = await client.call("show", {"run": run, "task": "one"})
        assert shown["tasks"][0]["output"] is None
        assert shown["tasks"][0]["omitted_bytes"] > 3000
        story = (await client.call("story", {"run": run, "task": "one"}))["events"]
    (large,) = [event["data"] for event in story if event["fact"] == "AttemptSucceeded"]
    assert large == {"run": run, "task": "one", "omitted_bytes": large["omitted_bytes"]}


async def test_devices_and_runs_are_listed():
    async with served({"a": [work()]}) as (_, client):
        first = (await client.call("submit", {"request": "first", "plan": TWO}))["run"]
        second = (await client.call("submit", {"request": "second", "plan": TWO}))["run"]
        await ended(client, second)
        runs = (await client.call("runs", {}))["runs"]
        assert [run["run"] for run in runs] == [second, first]
        (device,) = documents.devices_from((await client.call("devices", {}))["devices"])
    assert (device.card.device, device.online) == ("a", True)


async def test_a_run_is_paused_edited_resumed_and_cancelled():
    async with served() as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        await client.call("pause", {"run": run})
        assert (await client.call("show", {"run": run}))["run"]["paused"]
        edit = {"edits": [{"set_args": {"task": "one", "args": {"y": 1}}}], "base_revision": 1}
        assert (await client.call("edit", {"run": run, "batch": edit}))["revision"] == 2
        await client.call("resume", {"run": run})
        await client.call("cancel", {"run": run, "task": "two", "by": "me"})
        done = await client.call("cancel", {"run": run})
        assert (done["status"], done["revision"]) == ("cancelled", 3)
        assert (await client.call("show", {"run": run}))["run"][
            "reason"
        ] == "cancelled by its owner"


@pytest.mark.parametrize(
    "edit",
    [
        {"add_task": {"id": "three", "skill": "work"}},
        {"remove_task": "two"},
        {"replace_task": {"id": "two", "skill": "other"}},
        {"set_args": {"task": "two", "args": {}}},
        {"add_dependency": {"predecessor": "one", "successor": "two", "on": "completion"}},
        {"cancel": "two"},
    ],
    ids=lambda edit: next(iter(edit)),
)
async def test_every_kind_of_edit_is_taken(edit):
    async with served() as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        done = await client.call("edit", {"run": run, "batch": {"edits": [edit]}})
        assert done["revision"] == 2


async def test_a_dependency_is_removed():
    async with served() as (_, client):
        edge = {"predecessor": "one", "successor": "two"}
        plan = {
            "edits": [
                {"add_task": {"id": "one", "skill": "work"}},
                {"add_task": {"id": "two", "skill": "work"}},
                {"add_dependency": edge},
            ]
        }
        run = (await client.call("submit", {"request": "x", "plan": plan}))["run"]
        batch = {"edits": [{"remove_dependency": edge}]}
        await client.call("edit", {"run": run, "batch": batch})
        shown = await client.call("show", {"run": run, "task": "two"})
        assert shown["tasks"][0]["dependencies"] == []


async def test_a_question_is_answered():
    plan = {"edits": [{"add_task": {"id": "q", "skill": "ask"}}]}
    async with served({"a": [ask]}) as (orchestrator, client):
        run = (await client.call("submit", {"request": "x", "plan": plan}))["run"]
        await reached(orchestrator, run, "q", TaskState.INPUT_REQUIRED)
        await client.call("answer", {"run": run, "task": "q", "value": "much"})
        await ended(client, run)
        shown = await client.call("show", {"run": run, "task": "q"})
    assert shown["tasks"][0]["output"] == "they said much"


@pytest.mark.parametrize(
    ("outcome", "value", "state"),
    [("succeeded", 7, "succeeded"), ("failed", None, "failed")],
)
async def test_a_lost_outcome_is_settled(outcome, value, state):
    broker = MemoryBroker()
    plan = {"edits": [{"add_task": {"id": "t", "skill": "pay", "args": {"seconds": 3600}}}]}
    pay = work("pay", effect=Effect.ONCE)
    async with served({"a": [pay]}, broker=broker) as (orchestrator, client):
        run = (await client.call("submit", {"request": "x", "plan": plan}))["run"]
        await reached(orchestrator, run, "t", TaskState.ACTIVE)
        await asyncio.sleep(1)
        broker.stop()
        await reached(orchestrator, run, "t", TaskState.UNKNOWN)
        broker.start()
        settled = {"run": run, "task": "t", "outcome": outcome, "value": value}
        await client.call("settle", settled)
        await reached(orchestrator, run, "t", TaskState(state))


@pytest.mark.parametrize(
    ("skill", "args", "sentence"),
    [
        ("subbmit", {}, "no skill 'subbmit', did you mean 'submit'?"),
        ("submit", {"request": ""}, "submit: request: "),
        (
            "submit",
            {"request": "x", "plann": 1},
            "submit: 'plann' is not known here, did you mean",
        ),
        ("submit", {"request": "x", "plan": {"edits": [{}]}}, "exactly one of add_task, "),
        (
            "submit",
            {"request": "x", "plan": {"edits": [{"add_task": {"idd": 1}}]}},
            "add_task: 'idd' is not known here, did you mean 'id'?",
        ),
        ("show", {"run": "nope"}, "there is no run 'nope'"),
        ("cancel", {"run": "RUN", "task": "ones"}, "no task 'ones', did you mean 'one'?"),
        ("answer", {"run": "RUN", "task": "one", "value": 1}, "does not ask for input"),
        ("settle", {"run": "RUN", "task": "one", "outcome": "failed"}, "one"),
        ("edit", {"run": "RUN", "batch": {"edits": [{"remove_task": "x"}]}}, "'x'"),
    ],
)
async def test_bad_input_is_one_sentence_that_names_the_place(skill, args, sentence):
    async with served() as (_, client):
        run = (await client.call("submit", {"request": "x", "plan": TWO}))["run"]
        if args.get("run") == "RUN":
            args = {**args, "run": run}
        with pytest.raises(CallFailedError) as caught:
            await client.call(skill, args)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.kind is FailureKind.BAD_INPUT


async def test_a_run_is_named_by_a_beginning_that_is_its_own(monkeypatch):
    tokens = iter(["aa00", "ab00"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(tokens))
    async with served() as (_, client):
        for key in "12":
            await client.call("submit", {"request": "x", "plan": TWO, "key": key})
        assert (await client.call("pause", {"run": "aa"}))["run"] == "aa00"
        with pytest.raises(CallFailedError, match="'a' may be any of aa00, ab00"):
            await client.call("pause", {"run": "a"})


class FailingJournal(MemoryJournal):
    def append(self, now, facts):
        if any(type(fact).__name__ == "RunSubmitted" for fact in facts):
            raise JournalError("j.db", "the disk is full")
        return super().append(now, facts)


async def test_a_failing_journal_is_told_to_the_caller():
    async with served(journal=FailingJournal()) as (_, client):
        with pytest.raises(CallFailedError, match="the disk is full") as caught:
            await client.call("submit", {"request": "x", "plan": TWO})
    assert caught.value.kind is FailureKind.TRANSIENT
