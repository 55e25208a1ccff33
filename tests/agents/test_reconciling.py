"""What becomes of `once` attempts that were cut off, where their skill can look it up."""

import asyncio

import pytest

from agents.actions import AttemptRow, RunRow, Say, Work
from agents.attempt import RECONCILE_S
from agents.calls import NOT_LOOKED_UP
from agents.ledger import MemoryLedger
from agents.runtime import STOP_S, Agent
from agents.session import Session
from agents.skills import Context, LeaseLostError, skill
from protocol.messages import Cancel, Hello, Phase, Query, Refuse, Renew
from protocol.transport.memory import MemoryBroker
from protocol.types import (
    AttemptId,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    TaskId,
    Unknown,
)
from tests.support.agents import COORDINATOR, RUN, A, new_session, offer, once, request, told
from tests.support.coordinator import ScriptedCoordinator

WORK = Work(TaskId("task-a"), "print", {"text": "x"})
CUT = [RunRow(RUN, 1, home=COORDINATOR), AttemptRow(A, RUN, 1, 7, Effect.ONCE, work=WORK)]
LOST = Failed(FailureKind.LEASE_LOST, "lapsed")
NOT_DONE = Failed(FailureKind.TRANSIENT, "it is not there")


def looking(rows=(), **options):
    """Return a session whose skill `print` can look up what came of it."""
    return new_session(rows=rows, reconciles={"print"}, **options)


def resumed():
    session = looking(CUT)
    (order,) = session.resume()
    assert session.begins(A, 0) is None
    return session, order


def ledger_of(*actions):
    ledger = MemoryLedger()
    changes = [each for each in actions if isinstance(each, RunRow | AttemptRow)]
    ledger.write(changes, lambda _: None)
    return ledger


def test_crash_leaves_a_look_up_that_counts_as_started_and_fills_a_slot():
    session, order = resumed()
    assert (order.offer.task, order.offer.args, order.offer.token) == (WORK.task, WORK.args, 7)
    held = session.order(request(Hello("c", {RUN: 1})), 1)
    assert told(held) == ["say held a:started"]
    assert held[0].reply.load.slots_used == 1
    assert told(session.order(request(once(token=7)), 2)) == ["say a started"]
    session.check()


@pytest.mark.parametrize(
    "outcome", [Succeeded("job-1"), NOT_DONE, Rejected("never"), Unknown("?")]
)
def test_what_is_looked_up_is_recorded_and_goes_home_without_a_hello(outcome):
    session, _ = resumed()
    row, said = session.finished(A, outcome, 1)
    assert (row.outcome, row.closed, row.run_s) == (outcome, False, None)
    assert (said.reply.outcome, said.to.reply_to) == (outcome, COORDINATOR)
    session.check()


def test_without_a_way_to_look_it_up_the_outcome_is_unknown_at_once():
    session = new_session(rows=CUT)  # its skill is another one today
    assert session.resume() == []
    assert told(session.order(request(Query(A)), 0)) == ["say a Unknown"]
    assert new_session(rows=CUT).order(request(once()), 0)[-1].reply.outcome != Succeeded()


def test_second_crash_asks_again():
    session, _ = resumed()
    assert told(looking(ledger_of(*CUT).rows()).resume()) == ["look up a"]
    session.check()


def test_lapse_is_followed_by_a_look_up_and_its_answer_counts():
    session = looking()
    actions = session.order(request(once(ttl_s=10)), 0)
    assert actions[1].work == Work(TaskId("task-a"), "print", {})
    assert told(session.tick(10)) == ["cancel a"] or told(session.tick(10)) == []
    assert told(session.finished(A, LOST, 11)) == ["look up a"]
    assert session.begins(A, 11) is None
    assert not session.lease_live(A, 11)
    session.order(request(Renew({RUN: 1}, (A,), 10)), 11)
    assert session.tick(25) == []
    row, said = session.finished(A, Succeeded("job-1"), 26)
    assert row.work is None
    assert said.reply.outcome == Succeeded("job-1")


def test_limit_is_followed_by_a_look_up_with_a_limit_of_its_own():
    session = looking()
    session.order(request(once(limit_s=3)), 0)
    session.tick(1)
    assert told(session.tick(3)) == ["cancel a"]
    assert told(session.finished(A, LOST, 4)) == ["look up a"]
    session.begins(A, 4)
    assert session.next_deadline() == 4 + RECONCILE_S
    assert told(session.tick(4 + RECONCILE_S)) == ["cancel a"]
    assert isinstance(session.finished(A, NOT_LOOKED_UP, 40)[0].outcome, Unknown)


def test_once_attempt_that_is_stopped_at_its_limit_is_unknown():
    session = new_session()
    session.order(request(once(limit_s=3)), 0)
    session.tick(3)
    assert isinstance(session.finished(A, LOST, 4)[0].outcome, Unknown)


def test_cancel_does_not_stop_a_look_up_and_hears_its_answer():
    session, _ = resumed()
    assert session.order(request(Cancel(A, RUN, 1)), 1) == []
    finals = [each for each in session.finished(A, Succeeded(), 2) if isinstance(each, Say)]
    assert len(finals) == 2


def test_query_of_an_unknown_attempt_asks_again_even_after_it_was_acknowledged():
    session, _ = resumed()
    first = session.finished(A, Unknown("the printer is off"), 1)
    acked = session.order(request(Hello("c", {RUN: 1}, (A,))), 2)
    assert told(acked)[0] == "row a Unknown"
    again = session.order(request(Query(A)), 3)
    assert told(again) == ["look up a", "say a started"]
    row, said = session.finished(A, Succeeded("job-1"), 4)
    assert not row.closed  # it has to be acknowledged anew
    assert said.reply.outcome == Succeeded("job-1")
    session.check()
    later = looking(ledger_of(*CUT, *first, *acked).rows())
    assert later.resume() == []
    assert told(later.order(request(Query(A)), 0)) == ["look up a", "say a started"]
    later.check()


def test_query_before_the_acknowledgement_asks_again_too():
    session, _ = resumed()
    session.finished(A, Unknown("the printer is off"), 1)
    assert told(session.order(request(Query(A)), 2)) == ["look up a", "say a started"]
    assert told(session.order(request(Query(A)), 2)) == ["say a started"]
    session.check()


def test_query_does_not_ask_while_all_slots_work_or_for_a_plain_client():
    session, _ = resumed()
    session.finished(A, Unknown("?"), 1)
    for name in "bc":
        session.order(request(offer(name, token=ord(name))), 2)
    assert told(session.order(request(Query(A)), 3)) == ["say a Unknown"]
    plain = looking([CUT[0], AttemptRow(A, RUN, 0, 0, Effect.ONCE, Unknown("?"), work=WORK)])
    assert told(plain.order(request(Query(A)), 0)) == ["say a Unknown"]


def test_look_up_that_the_stop_interrupts_is_left_to_the_next_life():
    session, _ = resumed()
    assert told(session.stop(1)) == ["cancel a"]
    assert session.finished(A, NOT_LOOKED_UP, 1) == []
    assert told(session.order(request(Query(A)), 2)) == ["say a started"]
    session.check()


@pytest.mark.parametrize("order", [once(), Refuse({A: RUN}, {RUN: 1}), Cancel(A, RUN, 1)])
def test_i13_what_had_started_is_not_refused_while_the_agent_stops(order):
    session = looking()
    session.order(request(once()), 0)
    session.stop(1)
    assert told(session.finished(A, Unknown("it was stopped"), 1)) == ["look up a"]
    session.finished(A, NOT_LOOKED_UP, 2)
    assert told(session.order(request(order), 3)) == ["say a started"] * (
        type(order) is not Cancel
    )


def test_stop_that_comes_before_the_look_up_begins_leaves_it_too():
    session = looking(CUT)
    session.resume()
    session.stop(1)
    assert session.finished(A, session.begins(A, 1), 1) == []


def test_attempt_that_could_not_be_recorded_in_time_never_begins_and_says_so():
    session = looking(kind=Session)
    session.order(request(once(ttl_s=10)), 0)
    assert session.next_deadline() == float("inf")
    assert told(session.order(request(once()), 1)) == ["say a accepted"]
    late = session.begins(A, 10)
    assert isinstance(late, Rejected)
    assert told(session.finished(A, late, 10)) == ["row a Rejected", "say a Rejected"]


def test_cancel_of_what_has_not_begun_is_its_end():
    session = looking(kind=Session)
    session.order(request(once()), 0)
    session.order(request(Cancel(A, RUN, 1)), 1)
    assert told(session.finished(A, session.begins(A, 2), 2))[0] == "row a Cancelled"


def test_cancel_after_the_lapse_leaves_a_once_attempt_unknown():
    session = new_session()
    session.order(request(once(ttl_s=10)), 0)
    session.order(request(Cancel(A, RUN, 1)), 10)  # before the clock rang
    assert isinstance(session.finished(A, LOST, 11)[0].outcome, Unknown)


# The real agent.

effects = []


async def look(context: Context, args) -> Succeeded | Failed | Unknown:
    if args.get("slow"):
        await asyncio.sleep(args["slow"])
    match args["found"]:
        case "yes":
            return Succeeded(f"{context.fence} {args['text']}")
        case "wrong":
            return Succeeded(42)
        case "nothing":
            return None
        case "guarded":
            context.guard()
        case "ask":
            await context.ask("you?")
    raise OSError("no answer")


@skill(effect=Effect.ONCE, reconcile=look)
async def send(context: Context, text: str, found: str, slow: float = 0) -> str:
    """Have an effect, and never come to the end; `found` and `slow` are for the look-up."""
    del found, slow
    effects.append(context.attempt)
    await asyncio.sleep(1000)
    return text


def call(attempt="a", *, text="x", found="yes", **args):
    args = {"text": text, "found": found, **args}
    return offer(attempt, skill="send", args=args, effect=Effect.ONCE, token=7)


@pytest.fixture
def broker():
    effects.clear()
    return MemoryBroker()


def agent(broker, ledger):
    return Agent("laptop", [send], transport=broker.transport("laptop"), ledger=ledger)


@pytest.fixture
async def coordinator(broker):
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        yield coordinator


async def crashed(broker, coordinator, order):
    """Start an attempt, and return the ledger as a crash leaves it."""
    ledger = MemoryLedger()
    async with agent(broker, ledger):
        await coordinator.beat(connected=True)
        coordinator.say(order)
        await coordinator.reply()
        left = MemoryLedger(ledger.incarnation)
        left.write(ledger.rows(), lambda _: None)
    coordinator.replies.clear()  # a crash says nothing
    coordinator._read = 0
    return left


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("wrong", "does not promise"),
        ("nothing", "returned None, no outcome"),
        ("error", "OSError: no answer"),
        ("guarded", "lease"),
        ("ask", "nobody is there"),
    ],
)
async def test_look_up_that_fails_leaves_the_outcome_unknown(broker, coordinator, found, words):
    ledger = await crashed(broker, coordinator, call(found=found))
    async with agent(broker, ledger):
        await coordinator.beat(connected=True)
        coordinator.say(Hello("c", {RUN: 1}))
        outcome = await coordinator.outcome()
    assert isinstance(outcome, Unknown)
    assert words in outcome.detail


async def test_restarted_agent_says_what_its_skill_found_and_does_nothing_twice(
    broker, coordinator
):
    ledger = await crashed(broker, coordinator, call())
    async with agent(broker, ledger):
        await coordinator.beat(connected=True)
        coordinator.say(Hello("c", {RUN: 1}))  # what it said before may have been too early
        assert await coordinator.outcome() == Succeeded("(1, 7) x")
    assert effects == [A]


async def test_lapsed_attempt_is_looked_up_while_the_agent_goes_on(broker, coordinator):
    async with agent(broker, MemoryLedger()):
        await coordinator.beat(connected=True)
        coordinator.say(call())
        assert await coordinator.outcome() == Succeeded("(1, 7) x")
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)


async def test_stopping_agent_looks_up_what_it_cut_off(broker, coordinator):
    async with agent(broker, MemoryLedger()):
        await coordinator.beat(connected=True)
        coordinator.say(call(slow=1))
        await coordinator.reply()
    assert await coordinator.outcome() == Succeeded("(1, 7) x")


async def test_look_up_that_takes_longer_than_a_stop_is_made_by_the_next_life(broker, coordinator):
    ledger = MemoryLedger()
    async with agent(broker, ledger):
        await coordinator.beat(connected=True)
        coordinator.say(call(slow=STOP_S + 1))
        await coordinator.reply()
    assert ledger.rows()[-1].outcome is None
    async with agent(broker, ledger):
        assert await coordinator.outcome() == Succeeded("(1, 7) x")


async def test_query_of_an_unknown_attempt_brings_the_better_outcome(broker, coordinator):
    ledger = MemoryLedger()
    work = Work(TaskId("t"), "send", {"text": "x", "found": "yes"})
    row = AttemptRow(AttemptId("a"), RUN, 1, 7, Effect.ONCE, Unknown("?"), closed=True, work=work)
    ledger.write([RunRow(RUN, 1, home=f"$a2a/v1/reply/{coordinator.address}/laptop"), row], print)
    async with agent(broker, ledger):
        await coordinator.beat(connected=True)
        coordinator.say(Query(A))
        assert (await coordinator.reply()).phase is Phase.STARTED
        assert await coordinator.outcome() == Succeeded("(1, 7) x")


def test_guard_of_a_look_up_says_no():
    session, _ = resumed()
    context = Context(
        attempt=A, run=RUN, task=TaskId("t"), lease_live=lambda: session.lease_live(A, 0)
    )
    with pytest.raises(LeaseLostError):
        context.guard()
