import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from agents.actions import RunRow
from agents.ledger import LedgerError, MemoryLedger
from agents.runtime import STOP_S, Agent
from agents.skills import (
    BadInputError,
    Context,
    PermanentError,
    Skill,
    TemporaryError,
    skill,
)
from protocol import topics
from protocol.codec import encode_order
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Held,
    Hello,
    Phase,
    Query,
    Refused,
    Renew,
)
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Load,
    SkillInfo,
    Succeeded,
    Unknown,
)
from tests.support.agents import RUN, A, offer
from tests.support.coordinator import DEVICE, ScriptedCoordinator


@skill
async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@skill
async def sleep(context: Context, seconds: float) -> str:
    """Sleep, and say half-way that it is half-way."""
    await asyncio.sleep(seconds / 2)
    context.progress(0.5, "half-way")
    await asyncio.sleep(seconds / 2)
    return "slept"


@skill
async def choose(context: Context, question: str) -> str:
    """Ask a person."""
    return await context.ask(question)


@skill
async def fail(kind: str) -> None:
    """Fail in a stated way."""
    match kind:
        case "temporary":
            raise TemporaryError("try later", retry_after_s=3)
        case "permanent":
            raise PermanentError("never")
        case "input":
            raise BadInputError("no such folder")
        case "bug":
            raise KeyError("\udcff")
    raise asyncio.CancelledError


@skill(effect=Effect.ONCE)
async def write_twice(context: Context, seconds: float) -> None:
    """Guard two side effects, with a stubborn wait in between."""
    context.guard()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        context.guard()


SKILLS = [double, sleep, choose, fail, write_twice]
CARD = DeviceCard(DeviceId("laptop"), "A laptop", {"os": "linux"}, slots=4)


@pytest.fixture
def broker():
    return MemoryBroker()


@asynccontextmanager
async def pair(broker, ledger=None, skills=SKILLS, **options):
    """Bring up a coordinator and an agent, and wait until they know of each other."""
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(CARD, skills, transport=broker.transport("laptop"), ledger=ledger, **options)
        async with agent:
            await coordinator.beat(connected=True)
            yield coordinator, agent


def call(name, attempt="a", **args):
    effect = Effect.ONCE if name == "write_twice" else Effect.PURE
    return offer(attempt, skill=name, args=args, effect=effect)


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


async def test_result_made_while_the_network_is_away_comes_after_hello(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=4))
        await coordinator.reply()
        broker.stop()
        await asyncio.sleep(10)
        broker.start()
        await coordinator.beat(connected=True)
        coordinator.say(Hello("c", {RUN: 1}))
        assert (await coordinator.reply(Held)).attempts == {A: Phase.FINISHED}
        assert await coordinator.outcome() == Succeeded("slept")


async def test_unacknowledged_result_is_said_at_each_hello_until_acknowledged(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("double", number=1))
        for acks in ((), (), (A,)):
            assert await coordinator.outcome() == Succeeded(2)
            coordinator.say(Hello("c", {RUN: 1}, acks))
        assert (await coordinator.reply(Held)).attempts == {}


async def test_crashed_agent_tells_the_truth_about_what_it_had_started(broker):
    ledger = MemoryLedger()
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(CARD, SKILLS, transport=broker.transport("laptop"), ledger=ledger)
        async with agent:
            await coordinator.beat(connected=True)
            coordinator.say(call("write_twice", seconds=100))
            coordinator.say(call("sleep", "b", seconds=100))
            await coordinator.reply()
            await coordinator.reply()
            rows, ledger = ledger.rows(), MemoryLedger(ledger.incarnation)  # as they are now
            ledger.write(rows, lambda _: None)
        again = Agent(CARD, SKILLS, transport=broker.transport("laptop"), ledger=ledger)
        coordinator.replies.clear()
        coordinator._read = 0
        async with again:
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            outcomes = [await coordinator.outcome(), await coordinator.outcome()]
            assert isinstance(outcomes[0], Unknown)
            assert outcomes[1].kind is FailureKind.DEVICE_LOST


async def test_clean_stop_says_how_attempts_ended_and_then_offline(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("write_twice", seconds=100))
        coordinator.say(call("sleep", "b", seconds=100))
        await coordinator.reply()
        await coordinator.reply()
    kinds = [type(each.outcome) for each in coordinator.replies[2:]]
    assert sorted(map(str, kinds)) == sorted(map(str, [Unknown, Failed]))
    last = coordinator.cards[-1]
    assert (last.status, last.source) == ("offline", "agent")


async def test_stop_does_not_wait_for_ever_for_words_that_cannot_leave(broker):
    @skill
    async def stubborn() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(60)

    async with pair(broker, skills=[stubborn]) as (coordinator, _):
        coordinator.say(call("stubborn"))
        await coordinator.reply()
        begun = asyncio.get_running_loop().time()
    assert coordinator.cards[-1].status == "offline"
    assert asyncio.get_running_loop().time() - begun >= STOP_S


async def test_lost_connection_leaves_the_will(broker):
    async with pair(broker) as (coordinator, _):
        broker.kill("laptop")
        await coordinator.news()
        assert (coordinator.cards[-1].status, coordinator.cards[-1].source) == ("offline", "lwt")
        await coordinator.beat(connected=True)
        assert coordinator.cards[-1].status == "online"


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


def batch(*orders, reply_to="$a2a/v1/reply/muster/default/coordinator/laptop"):
    """Return one message with these orders; what is bytes goes in as it is."""
    payloads = [
        order
        if isinstance(order, bytes)
        else encode_order(order, to=DEVICE, reply_to=reply_to, correlation=b"c").payload
        for order in orders
    ]
    topic = "$a2a/v1/request/muster/default/laptop"
    payload = b"[" + b",".join(payloads) + b"]"
    return Message(topic, payload, response_topic=reply_to, correlation=b"c")


def replies_of(coordinator):
    return [each.payload for each in coordinator.messages if "/reply/" in each.topic]


async def test_results_that_are_recorded_together_leave_as_one_message(broker):
    async with pair(broker) as (coordinator, _):
        calls = [call("double", name, number=ord(name)) for name in "abc"]
        coordinator._transport.publish(batch(*calls))
        assert [await coordinator.outcome() for _ in calls] == [
            Succeeded(2 * ord(name)) for name in "abc"
        ]
        assert len(replies_of(coordinator)) == 1


async def test_the_answer_to_a_hello_leaves_on_its_own(broker):
    async with pair(broker) as (coordinator, _):
        hello = Hello("coordinator", {RUN: 1})
        coordinator._transport.publish(batch(hello, hello))
        await coordinator.reply(Held)
        await coordinator.reply(Held)
        assert [payload[:1] for payload in replies_of(coordinator)] == [b"{"] * 2


async def test_a_client_without_the_extension_is_never_answered_in_one_message(broker):
    async with pair(broker) as (coordinator, _):
        said = (
            b'{"jsonrpc":"2.0","id":%d,"method":"SendMessage","params":{"message":{"messageId":'
            b'"m%d","role":"ROLE_USER","parts":[{"data":{"skill":"double","args":{"number":1}}}]}}}'
        )
        coordinator._transport.publish(batch(said % (1, 1), said % (2, 2)))
        for _ in range(2):
            assert await coordinator.outcome() == Succeeded(2)
        assert [payload[:1] for payload in replies_of(coordinator)] == [b"{"] * 2


async def test_a_bad_element_of_a_batch_is_answered_and_the_others_are_done(broker):
    async with pair(broker) as (coordinator, _):
        coordinator._transport.publish(batch(b"{}", call("double", number=4), b"[]"))
        assert await coordinator.outcome() == Succeeded(8)
        refused = [each.code for each in coordinator.replies if isinstance(each, Refused)]
        assert refused == [-32600, -32600]


async def test_malformed_request_is_answered_and_changes_nothing(broker):
    async with pair(broker) as (coordinator, _):
        good = encode_order(
            call("double", number=1), to=DEVICE, reply_to="$a2a/v1/reply/x/y/z/laptop",
            correlation=b"1",
        )  # fmt: skip
        transport = coordinator._transport
        reply_to = f"$a2a/v1/reply/{coordinator.address}/laptop"
        transport.publish(Message(good.topic, b"{", response_topic=reply_to, correlation=b"2"))
        transport.publish(Message(good.topic, b"{"))
        transport.publish(Message(good.topic, b"{", response_topic="a/#", correlation=b"3"))
        assert (await coordinator.reply(Refused)).code == -32700
        coordinator.say(call("double", number=4))
        assert await coordinator.outcome() == Succeeded(8)


class FullLedger(MemoryLedger):
    """Cannot be written while `full`."""

    full = False

    def write(self, changes, done):
        if self.full:
            done(LedgerError("the disk is full"))
        else:
            super().write(changes, done)


async def test_device_that_cannot_record_drains_says_nothing_it_may_forget_and_recovers(broker):
    ledger = FullLedger()
    async with pair(broker, ledger) as (coordinator, _):
        coordinator.say(call("sleep", seconds=4))
        await coordinator.reply()
        ledger.full = True
        await asyncio.sleep(5)
        coordinator.say(call("double", "b", number=1))
        assert (await coordinator.beat()).load.draining
        assert len(coordinator.replies) == 2
        ledger.full = False
        assert not (await coordinator.beat(connected=True)).load.draining
        assert await coordinator.outcome() == Succeeded("slept")
        coordinator.say(call("double", "b", number=1))
        assert await coordinator.outcome() == Succeeded(2)


async def test_stop_with_a_ledger_that_cannot_be_written_is_bounded(broker):
    ledger = FullLedger()
    async with pair(broker, ledger) as (coordinator, _):
        ledger.full = True
        coordinator.say(call("write_twice", seconds=100))
        await coordinator.beat()
    assert coordinator.cards[-1].status == "offline"
    assert coordinator.replies == []


async def test_error_in_the_body_stays_as_it_is(broker):
    with pytest.raises(ZeroDivisionError):
        async with Agent("laptop", SKILLS, transport=broker.transport("laptop")):
            raise ZeroDivisionError


async def test_refused_login_ends_the_agent():
    class Refusing:
        async def run(self, _peer):
            raise PermissionError("the broker says no")

        def publish(self, message):
            """Lose it."""

        async def flush(self):
            """Have nothing to wait for."""

    with pytest.raises(ExceptionGroup) as caught:
        async with Agent("laptop", [], transport=Refusing()):
            await asyncio.sleep(100)
    assert caught.group_contains(PermissionError)


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


async def test_run_row_reaches_the_ledger_with_the_first_offer(broker):
    ledger = MemoryLedger()
    async with pair(broker, ledger) as (coordinator, _):
        coordinator.say(call("double", number=1))
        await coordinator.outcome()
        assert ledger.rows()[0] == RunRow(RUN, 1, home=topics.reply(coordinator.address, "laptop"))
