"""An agent: how it runs skills by order, what it says of them, and who may use them."""

import asyncio
from dataclasses import replace

import pytest

from agents.skills import (
    Context,
    PermanentError,
    Skill,
    skill,
)
from agents.wording import carried
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Phase,
    Query,
    Refused,
    Renew,
)
from protocol.types import (
    AttemptId,
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Load,
    SkillInfo,
    Succeeded,
    Unknown,
)
from tests.support.agents import RUN, A, offer
from tests.support.laptop import SKILLS, call, pair


async def test_offer_runs_its_skill_and_one_message_says_the_result(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("double", number=21))
        assert await coordinator.outcome() == Succeeded(42)
        assert len(coordinator.replies) == 1
        assert coordinator.replies[0].incarnation


async def test_slow_skill_says_that_it_started_how_far_it_is_and_that_it_ended(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=4))
        reports = [await coordinator.reply() for _ in range(3)]
        assert [each.phase for each in reports] == [Phase.STARTED, Phase.STARTED, Phase.FINISHED]
        assert [each.progress for each in reports] == [None, 0.5, None]
        assert reports[2].run_s == pytest.approx(4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("temporary", Failed(FailureKind.TRANSIENT, "try later", 3)),
        ("permanent", Failed(FailureKind.SKILL_ERROR, "never")),
        ("input", Failed(FailureKind.BAD_INPUT, "no such folder")),
        ("bug", Failed(FailureKind.SKILL_ERROR, "KeyError: '\\udcff'")),
        ("cancel", Failed(FailureKind.SKILL_ERROR, "the skill cancelled itself")),
    ],
)
async def test_what_a_skill_raises_becomes_its_failure(broker, kind, expected):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("fail", kind=kind))
        assert await coordinator.outcome() == expected


async def test_arguments_that_miss_the_schema_are_bad_input(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("double", number="many"))
        assert (await coordinator.outcome()).kind is FailureKind.BAD_INPUT


async def test_output_that_json_cannot_say_is_bad_output(broker):
    async def escape(_context, _args):
        return object()

    async with pair(broker, skills=[Skill(SkillInfo("escape"), escape)]) as (coordinator, _):
        coordinator.say(call("escape"))
        assert (await coordinator.outcome()).kind is FailureKind.BAD_OUTPUT


async def test_question_reaches_the_coordinator_and_its_answer_the_skill(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("choose", question="which?"))
        assert (await coordinator.reply()).note == "which?"
        coordinator.say(Answer(A, RUN, 1, "the second"))
        assert await coordinator.outcome() == Succeeded("the second")


@pytest.mark.parametrize("text", ["x" * 2_000_000, "cut off: \udcff"])
async def test_what_a_skill_says_is_made_to_fit_a_message(broker, text):
    @skill
    async def talkative(context: Context) -> None:
        context.progress(0.5, text)
        await asyncio.sleep(1.0)
        raise PermanentError(text)

    async with pair(broker, skills=[talkative]) as (coordinator, _):
        coordinator.say(call("talkative"))
        async with asyncio.timeout(10):
            started, failed = await coordinator.reply(), await coordinator.reply()
        assert started.note == failed.outcome.detail == carried(text)
        assert failed.outcome.kind is FailureKind.SKILL_ERROR


@pytest.mark.parametrize(
    ("text", "heard"), [("cut off: \udcff", "cut off: ?"), ("x" * 2_000_000, "2000000 characters")]
)
async def test_question_is_made_to_fit_a_message_or_fails_its_skill(broker, text, heard):
    @skill
    async def verbose(context: Context) -> str:
        return await context.ask(text)

    async with pair(broker, skills=[verbose]) as (coordinator, _):
        coordinator.say(call("verbose"))
        async with asyncio.timeout(10):
            report = await coordinator.reply()
        assert heard in (report.outcome.detail if report.outcome else report.note)


async def test_second_question_at_once_is_an_error_of_the_skill(broker):
    @skill
    async def impatient(context: Context) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(context.ask("one?"))
            group.create_task(context.ask("two?"))

    async with pair(broker, skills=[impatient]) as (coordinator, _):
        coordinator.say(call("impatient"))
        assert (await coordinator.outcome()).kind is FailureKind.SKILL_ERROR


async def test_answer_that_comes_after_the_skill_gave_up_asking_is_harmless(broker):
    @skill
    async def hasty(context: Context) -> str:
        try:
            async with asyncio.timeout(1):
                await context.ask("quick?")
        except TimeoutError:
            await asyncio.sleep(5)
        return "default"

    async with pair(broker, skills=[hasty]) as (coordinator, _):
        coordinator.say(call("hasty"))
        await asyncio.sleep(2)
        coordinator.say(Answer(A, RUN, 1, "late"))
        assert await coordinator.outcome() == Succeeded("default")


async def test_context_that_outlives_its_attempt_is_inert(broker):
    kept = []

    @skill
    async def leak(context: Context) -> None:
        kept.append(context)

    async with pair(broker, skills=[leak]) as (coordinator, _):
        coordinator.say(call("leak"))
        await coordinator.outcome()
        kept[0].progress(0.5)
        assert not kept[0].lease_live()
        with pytest.raises(PermanentError):
            await kept[0].ask("anybody?")


async def test_cancel_stops_the_skill_then_says_so(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=1000))
        await coordinator.reply()
        coordinator.say(Cancel(A, RUN, 1))
        assert isinstance(await coordinator.outcome(), Cancelled)
        assert asyncio.get_running_loop().time() < 1


async def test_cancel_right_behind_the_offer_is_answered_too(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=1000))
        coordinator.say(Cancel(A, RUN, 1))
        assert isinstance(await coordinator.outcome(), Cancelled)


async def test_limit_stops_the_skill(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(offer(skill="sleep", args={"seconds": 1000}, limit_s=3))
        assert (await coordinator.outcome()).kind is FailureKind.TIMEOUT
        assert asyncio.get_running_loop().time() == pytest.approx(3, abs=0.1)


async def test_lapsed_once_attempt_is_stopped_before_its_next_side_effect(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("write_twice", seconds=1000))
        assert isinstance(await coordinator.outcome(), Unknown)
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)


async def test_renewals_keep_a_once_attempt_alive(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("write_twice", seconds=25))
        for _ in range(5):
            await asyncio.sleep(5)
            coordinator.say(Renew({RUN: 1}, (A,), 10))
        assert await coordinator.outcome() == Succeeded(None)


async def test_duplicate_offer_starts_nothing_twice(broker):
    calls = []

    @skill
    async def count() -> int:
        calls.append(1)
        await asyncio.sleep(1)
        return len(calls)

    async with pair(broker, skills=[count]) as (coordinator, _):
        coordinator.say(call("count"))
        broker.redeliver("laptop")
        coordinator.say(call("count"))
        assert await coordinator.outcome() == Succeeded(1)
        coordinator.say(call("count"))
        assert await coordinator.outcome() == Succeeded(1)
        assert len(calls) == 1


async def test_card_lists_the_skills_with_their_schemas(broker):
    async with pair(broker) as (coordinator, agent):
        assert coordinator.cards[-1].card == agent.card
        assert [each.name for each in agent.card.skills] == [each.info.name for each in SKILLS]


async def test_heartbeats_name_what_runs(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=100))
        assert (await coordinator.beat(attempts=(A,))).load.slots_used == 1
        coordinator.say(Drain(on=True))
        assert (await coordinator.beat()).load.draining


async def test_a_device_that_drains_says_so_and_waits_for_what_has_started(broker):
    async with pair(broker, powered=lambda beat: replace(beat, load=Load(9))) as (caller, agent):
        caller.say(call("sleep", seconds=100))
        await caller.beat(attempts=(A,))
        async with asyncio.timeout(101.0):
            await agent.drain()
        assert asyncio.get_running_loop().time() >= 100.0
        assert (await caller.beat()).load.slots_used == 9
        assert await caller.outcome() == Succeeded("slept")
        caller.say(call("double", "b", number=1))
        assert "draining" in (await caller.outcome()).reason


async def test_owner_decides_who_may_use_which_skill(broker):
    asked = []

    def allows(caller, name):
        asked.append((caller, name))
        return False

    async with pair(broker, allows=allows) as (coordinator, _):
        coordinator.say(call("double", number=1))
        assert "policy" in (await coordinator.outcome()).reason
        assert asked == [("muster/default/coordinator", "double")]


async def test_query_of_an_unknown_attempt_is_a_json_rpc_error(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(Query(AttemptId("nobody")))
        assert (await coordinator.reply(Refused)).code == -32001


async def test_clock_of_the_device_decides_about_leases(broker):
    """A laptop that slept through its lease finds it lapsed, whatever the loop's clock says."""
    slept = 0.0

    def clock():
        return asyncio.get_running_loop().time() + slept

    held = []

    @skill(effect=Effect.ONCE)
    async def hold(context: Context) -> None:
        held.append(context)
        await asyncio.sleep(100)

    async with pair(broker, skills=[hold], clock=clock) as (coordinator, _):
        coordinator.say(offer(skill="hold", effect=Effect.ONCE))
        await coordinator.reply()
        assert held[0].lease_live()
        slept = 3600.0
        assert not held[0].lease_live()
        assert isinstance(await coordinator.outcome(), Unknown)


async def test_after_a_sleep_the_next_message_has_the_timer_moved(broker):
    """The loop did not see the sleep: its timer for the time limit would ring late."""
    loop, slept = asyncio.get_running_loop(), 0.0
    async with pair(broker, clock=lambda: loop.time() + slept) as (coordinator, _):
        coordinator.say(offer(skill="sleep", args={"seconds": 100}, limit_s=4.0))
        await coordinator.reply()
        slept, woke = 3.0, loop.time()
        coordinator.say(Query(AttemptId("nobody")))
        assert (await coordinator.outcome()).kind is FailureKind.TIMEOUT
        assert loop.time() - woke < 1.5
