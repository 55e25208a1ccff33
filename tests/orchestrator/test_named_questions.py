"""An answer names its question: it reaches that one, or nobody."""

import asyncio

import pytest

from agents.skills import Context, TemporaryError, skill
from orchestrator.client import CallFailedError
from orchestrator.core import events as e
from orchestrator.core.errors import RequestError
from orchestrator.core.model import Limits
from orchestrator.questions import check_open, question_of
from orchestrator.service import documents
from protocol.types import Effect, FailureKind
from tests.support.service import served
from tests.support.world import RUN, World, task


@skill(effect=Effect.PURE)
async def two(context: Context) -> list[str]:
    """Ask a person twice."""
    return [await context.ask("how much?"), await context.ask("sure?")]


def forgetful():
    tries = []

    @skill(effect=Effect.PURE)
    async def forget(context: Context) -> str:
        """Ask, and fail the first time, whatever is answered."""
        tries.append(await context.ask("how much?"))
        if len(tries) == 1:
            raise TemporaryError("forgot it", retry_after_s=0.0)
        return f"they said {tries[-1]}"

    return forget


def plan(*names, skill="two"):
    return {"edits": [{"add_task": {"id": name, "skill": skill}} for name in names]}


async def asked(orchestrator, run, *names):
    """Wait until the run asks just these."""
    async for _ in orchestrator.run(run).events():
        if [(each.task, each.name) for each in orchestrator.run(run).questions()] == [*names]:
            return


async def test_each_question_of_each_task_has_a_name_and_takes_its_own_answer():
    async with served({"d": [two], "e": [two]}) as (orchestrator, client):
        run = (await client.call("submit", {"request": "x", "plan": plan("a", "b")}))["run"]
        async with asyncio.timeout(60):
            await asked(orchestrator, run, ("a", "1.1"), ("b", "1.1"))
            shown = (await client.call("show", {"run": run}))["run"]
            assert shown["questions"] == [
                {"task": "a", "question": "1.1", "text": "how much?"},
                {"task": "b", "question": "1.1", "text": "how much?"},
            ]
            named = {"run": run, "task": "a", "question": "1.1", "value": "7"}
            await client.call("answer", named)
            await asked(orchestrator, run, ("a", "1.2"), ("b", "1.1"))
            with pytest.raises(CallFailedError) as stale:
                await client.call("answer", named)
            assert stale.value.kind is FailureKind.BAD_INPUT
            said = (
                "question '1.1' of task 'a' is not open (any more): it asks now, as question 1.2"
            )
            assert str(stale.value) == f"{said}, 'sure?': answer that"
            await client.call("answer", {**named, "question": "1.2", "value": "yes"})
            with pytest.raises(CallFailedError, match="the task asks nothing now"):
                await client.call("answer", {**named, "question": "1.2"})
            for value in ("8", "no"):  # without a name: whatever it asks
                await client.call("answer", {"run": run, "task": "b", "value": value})
                await asyncio.sleep(1)
            outputs = (await orchestrator.run(run).result()).outputs
    assert outputs == {"a": ["7", "yes"], "b": ["8", "no"]}


async def test_an_answer_to_a_former_try_does_not_reach_the_next():
    submission = {"request": "x", "plan": plan("a", skill="forget")}
    async with served({"d": [forgetful()]}) as (orchestrator, client):
        run = orchestrator.run((await client.call("submit", submission))["run"])
        await asked(orchestrator, run.id, ("a", "1.1"))
        await run.answer("a", "7", question="1.1")
        await asked(orchestrator, run.id, ("a", "2.1"))
        with pytest.raises(RequestError, match=r"as question 2\.1, 'how much\?'"):
            await run.answer("a", "7", question="1.1")
        await run.answer("a", "8", question="2.1")
        assert (await run.result()).outputs == {"a": "they said 8"}


async def test_an_answer_that_no_message_carries_is_refused_and_the_question_stays():
    async with served({"d": [forgetful()]}) as (orchestrator, client):
        submission = {"request": "x", "plan": plan("a", skill="forget")}
        run = orchestrator.run((await client.call("submit", submission))["run"])
        await asked(orchestrator, run.id, ("a", "1.1"))
        with pytest.raises(RequestError, match="the answer has 524291 bytes: write 524288"):
            await run.answer("a", "x" * 524_289)
        await asked(orchestrator, run.id, ("a", "1.1"))
        await run.cancel()


async def test_a_task_that_is_not_there_has_no_question():
    async with served() as (orchestrator, client):
        run = (await client.call("submit", {"request": "x", "plan": plan("a")}))["run"]
        with pytest.raises(RequestError, match="of task 'zz' is not open"):
            await orchestrator.run(run).answer("zz", 1, question="1.1")
        with pytest.raises(RequestError, match="does not ask for input"):
            await orchestrator.run(run).answer("a", 1)


def test_a_device_without_numbers_has_its_questions_told_apart_by_their_words():
    world = World()
    world.device("d")
    world.submit(task("t", limits=Limits(run_s=100.0, input_s=50.0)))
    attempt, names = world.start("t"), []
    run = world.engine.state.runs[RUN]
    for text in ("which?", "sure?", "which?"):
        world.tell(e.AttemptAsked("d", attempt, text, 0))
        found = question_of(run.tasks["t"], world.engine.state)
        assert found.text == text
        names.append(found.name)
        check_open(found.name, run, "t", world.engine.state)
        world.tell(e.AnswerInput(RUN, "t", "this", "me"))
    assert names[0] == names[2] != names[1]


def test_what_is_told_of_questions_is_bounded():
    questions = [documents.Question(f"t{n}", "1.1", "?" * 10_000) for n in range(40)]
    told = documents.of_questions(questions)
    assert len(told["questions"]) == documents.QUESTIONS_TOLD
    assert told["questions_omitted"] == 8
    assert all(len(each["text"]) == documents.TEXT_TOLD for each in told["questions"])
