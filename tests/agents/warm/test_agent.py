"""Warm resources of a whole agent, over the wire, on the virtual clock."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from agents.ledger import LedgerError, MemoryLedger
from agents.runtime import STOP_S, Agent
from agents.simulated import SimulatedAdapter, SimulatedDevice
from agents.skills import Context, PermanentError, TemporaryError, skill
from agents.warm.adapters import ResourceKind
from agents.warm.keeper import EVICT_S
from protocol.messages import Cancel, Drain, Held, Hello, Phase, Renew
from protocol.transport.memory import MemoryBroker
from protocol.types import (
    Cancelled,
    DeviceCard,
    DeviceId,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    WarmResource,
)
from tests.support.agents import RUN, A, offer, pin
from tests.support.coordinator import ScriptedCoordinator

CARD = DeviceCard(DeviceId("laptop"), slots=4, capacity={"bench": 1.0})


@skill
async def use(context: Context, seconds: float = 1.0, key: str | None = None) -> str:
    """Use a model for some time."""
    handle = context.resource("model", key)
    await asyncio.sleep(seconds)
    context.resource("model", key)
    return f"{handle.key}{handle.number}"


def now():
    return asyncio.get_running_loop().time()


def need(attempt="a", *pins, token=1, **changes):
    pins = pins or (pin(token=token),)
    return offer(attempt, skill="use", pins=pins, token=token, ttl_s=1e6, **changes)


@pytest.fixture
def broker():
    return MemoryBroker()


@asynccontextmanager
async def pair(broker, adapter, *, ledger=None, skills=(use,), **kind):
    """Bring up a coordinator and an agent with one kind of resource."""
    resources = {"model": ResourceKind(adapter, 8.0, **kind)}
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(
            CARD, skills, transport=broker.transport("laptop"), resources=resources, ledger=ledger
        )
        async with agent:
            await coordinator.beat(connected=True)
            yield coordinator


async def finished(coordinator):
    while (report := await coordinator.reply()).phase is not Phase.FINISHED:
        pass
    return report


async def test_skill_uses_what_was_loaded_and_the_next_finds_it_warm(broker):
    adapter = SimulatedAdapter(load_s=30.0, sizes={"a": 5.0})
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need())
        waiting = await coordinator.reply()
        first = await finished(coordinator)
        coordinator.say(need("b", token=2))
        second = await finished(coordinator)
        took_s = now()

    assert (waiting.phase, waiting.note) == (Phase.ACCEPTED, "loading model a")
    assert (first.outcome, first.run_s) == (Succeeded("a0"), 1.0)
    assert first.warm == (WarmResource("model", "a", 5.0, None, 30.0),)
    assert (second.outcome, second.warm[0].load_s) == (Succeeded("a0"), None)
    assert took_s == pytest.approx(32.0, abs=0.1)
    assert adapter.loads == 1


async def test_card_says_what_may_be_kept_warm(broker):
    async with pair(broker, SimulatedAdapter()) as coordinator:
        assert coordinator.cards[0].card.capacity == {"bench": 1.0, "model": 8.0}


async def test_heartbeat_says_what_is_warm(broker):
    async with pair(broker, SimulatedAdapter()) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        load = (await coordinator.beat()).load

    assert (load.warm, load.used) == ((WarmResource("model", "a", 4.0),), {"model": 4.0})


async def test_device_lets_go_by_itself_when_nobody_speaks_to_it_any_more(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        await asyncio.sleep(99.99)
        assert len(adapter.handles) == 1
        await asyncio.sleep(0.02)
        assert adapter.handles == []


async def test_two_keys_of_one_kind_are_told_apart(broker):
    async with pair(broker, SimulatedAdapter()) as coordinator:
        coordinator.say(need("a", pin("a"), pin("b"), args={"key": "b"}))
        assert await coordinator.outcome() == Succeeded("b1")


@pytest.mark.parametrize(
    ("order", "detail"),
    [
        (
            offer(skill="use"),
            "the task names no resource of kind 'model' as a need",
        ),
        (
            need("a", args={"key": "x"}),
            "one resource of kind 'model' with the key 'x' is asked for, the task needs none",
        ),
        (
            need("a", pin("a"), pin("b")),
            "one resource of kind 'model' is asked for, the task needs a, b",
        ),
    ],
)
async def test_skill_that_asks_for_what_the_offer_does_not_name_is_told_so(broker, order, detail):
    async with pair(broker, SimulatedAdapter()) as coordinator:
        coordinator.say(order)
        assert await coordinator.outcome() == Failed(FailureKind.BAD_INPUT, detail)


def test_context_made_by_hand_has_no_resources():
    with pytest.raises(Exception, match="names no resource of kind 'model'"):
        Context(attempt=A, run=RUN, task="t").resource("model")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (
            {"transient": 1.0},
            Failed(FailureKind.TRANSIENT, "loading model a: scripted: worth another try"),
        ),
        (
            {"permanent": 1.0},
            Failed(FailureKind.SKILL_ERROR, "loading model a: scripted: fails for good"),
        ),
    ],
)
async def test_failed_load_is_data(broker, fault, outcome):
    async with pair(broker, SimulatedAdapter(**fault)) as coordinator:
        coordinator.say(need())
        report = await finished(coordinator)

    assert (report.outcome, report.run_s) == (outcome, None)


async def test_load_has_a_limit(broker):
    async with pair(broker, SimulatedAdapter(100.0), load_limit_s=7.0) as coordinator:
        coordinator.say(need())
        outcome = await coordinator.outcome()

    assert outcome == Failed(FailureKind.TRANSIENT, "loading model a: not done within 7 s")


async def test_what_dies_in_use_is_missed_by_its_skill_and_said_at_once(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need(args={"seconds": 10.0}))
        await coordinator.reply()
        await asyncio.sleep(0.5)
        died = now()
        adapter.handles[0].over.set()
        beat = await coordinator.beat()
        assert (beat.load.warm, now()) == ((), died)
        coordinator.say(need("b", token=2, args={"seconds": 30.0}))
        outcome = await coordinator.outcome()

    assert outcome == Failed(FailureKind.TRANSIENT, "model a was lost while it was in use")


async def test_owner_ends_what_lies_unused(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter, max_idle_s=5.0) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        ended = now()
        assert (await coordinator.beat()).load.warm != ()
        while (await coordinator.beat()).load.warm:
            pass
        assert now() - ended == pytest.approx(5.0)
        await asyncio.sleep(0.001)
        assert adapter.handles == []


async def test_second_load_waits_for_the_memory_of_the_first(broker):
    adapter = SimulatedAdapter(load_s=1.0, evict_s=3.0)
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need("a", pin("a", protected_s=0.0)))
        await finished(coordinator)
        began = now()
        coordinator.say(need("b", pin("b", amount=6.0), token=2))
        assert await coordinator.outcome() == Succeeded("b1")
        assert now() - began == pytest.approx(3.0 + 1.0 + 1.0, abs=0.01)


async def test_cancel_of_who_waits_is_prompt_and_stops_a_load_without_a_lease(broker):
    adapter = SimulatedAdapter(load_s=100.0)
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need("a", pin(release_s=0.0)))
        await coordinator.reply()
        coordinator.say(Cancel(A, RUN, 1))
        assert await coordinator.outcome() == Cancelled("it was told to stop")
        await finished(coordinator)  # said again, to the one who cancelled
        coordinator.say(need("b", token=2))
        assert (await finished(coordinator)).warm[0].load_s == 100.0


async def test_renewal_lets_go_at_once(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        coordinator.say(Renew({RUN: 1}, (), 9.0, pins=(pin(token=2, release_s=0.0),)))
        while (await coordinator.beat()).load.warm:
            pass
        assert adapter.handles == []


async def test_stop_of_the_agent_lets_everything_go(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter, skills=[use]) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        coordinator.say(need("b", token=2, args={"seconds": 1e6}))
        await coordinator.reply()

    assert adapter.handles == []


async def test_stop_is_bounded_where_an_adapter_is_stubborn(broker):
    async with pair(broker, SimulatedAdapter(evict_s=1000.0)) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        began = now()

    assert now() - began <= 2 * STOP_S


async def test_memory_of_a_stubborn_eviction_counts_as_free_in_the_end(broker):
    async with pair(broker, SimulatedAdapter(evict_s=1000.0)) as coordinator:
        coordinator.say(need("a", pin(release_s=0.0)))
        await finished(coordinator)
        began = now()
        coordinator.say(need("b", pin("b", amount=8.0), token=2))
        assert await coordinator.outcome() == Succeeded("b1")
        assert now() - began == pytest.approx(EVICT_S + 1.0, abs=0.01)


class Broken(SimulatedAdapter):
    """Raises what no adapter should."""

    async def evict(self, handle):
        await super().evict(handle)
        raise OSError("gone already")

    def size(self, _handle):
        raise ZeroDivisionError

    async def alive(self, _handle):
        await asyncio.sleep(5.0)
        raise RuntimeError("lost sight of it")


async def test_errors_of_an_adapter_stay_with_its_resource(broker):
    async with pair(broker, Broken()) as coordinator:
        coordinator.say(need())
        report = await finished(coordinator)
        while (await coordinator.beat()).load.warm:
            pass
        coordinator.say(need("b", token=2))
        again = await finished(coordinator)

    assert report.warm == (WarmResource("model", "a", 4.0, None, 0.0),)
    assert again.outcome == Succeeded("a1")


@pytest.mark.parametrize("said", [float("nan"), float("inf"), -1.0])
async def test_size_that_is_none_is_not_believed(broker, said):
    async with pair(broker, SimulatedAdapter(sizes={"a": said})) as coordinator:
        coordinator.say(need())
        assert (await finished(coordinator)).warm[0].amount == 4.0


class Deaf(SimulatedAdapter):
    """Comes to the end of a load that was cancelled."""

    async def load(self, key):
        try:
            return await super().load(key)
        except asyncio.CancelledError:
            return await SimulatedAdapter.load(self, key)


async def test_load_that_does_not_heed_its_end_is_let_go_all_the_same(broker):
    adapter = Deaf(load_s=3.0)
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need("a", pin(release_s=0.0)))
        await coordinator.reply()
        coordinator.say(Cancel(A, RUN, 1))
        await coordinator.outcome()
        await asyncio.sleep(4.0)
        assert (adapter.loads, adapter.handles) == (2, [])


class Quitter(SimulatedAdapter):
    """Cancels itself."""

    async def load(self, _key):
        raise asyncio.CancelledError


async def test_adapter_that_cancels_itself_fails_its_load(broker):
    async with pair(broker, Quitter()) as coordinator:
        coordinator.say(need())
        outcome = await coordinator.outcome()

    assert outcome == Failed(
        FailureKind.SKILL_ERROR, "loading model a: the adapter cancelled itself"
    )


class Slow(SimulatedAdapter):
    """Has a time limit of its own."""

    async def load(self, _key):
        async with asyncio.timeout(1.0):
            await asyncio.Event().wait()


async def test_time_limit_of_an_adapter_is_its_own_error(broker):
    async with pair(broker, Slow()) as coordinator:
        coordinator.say(need())
        assert await coordinator.outcome() == Failed(
            FailureKind.SKILL_ERROR, "loading model a: TimeoutError: "
        )


@skill
async def linger(context: Context) -> None:
    """Do not stop when told to."""
    context.resource("model")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(100.0)


async def test_stop_lets_go_even_what_a_stubborn_skill_uses(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter, skills=[linger]) as coordinator:
        coordinator.say(offer(skill="linger", pins=(pin(),)))
        await coordinator.reply()
        began = now()

    assert adapter.handles == []
    assert now() - began <= 2 * STOP_S


class Leftovers(SimulatedAdapter):
    """Takes its time to remove what a former life left behind."""

    tidied = False

    async def load(self, key):
        assert self.tidied
        return await super().load(key)

    async def tidy(self):
        await asyncio.sleep(9.0)
        self.tidied = True
        raise OSError("not all of it")


async def test_loads_wait_until_leftovers_are_gone(broker):
    async with pair(broker, Leftovers()) as coordinator:
        coordinator.say(need())
        assert (await finished(coordinator)).warm[0].load_s == pytest.approx(9.0, abs=0.1)


async def test_drained_device_keeps_nothing(broker):
    adapter = SimulatedAdapter()
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        coordinator.say(Drain(on=True))
        await coordinator.beat()
        coordinator.say(need("b", token=2))
        assert isinstance(await coordinator.outcome(), Rejected)
        assert adapter.handles == []


class FullLedger(MemoryLedger):
    """Cannot be written while `full` is set."""

    full = False

    def write(self, changes, done):
        if self.full:
            done(LedgerError("the disk is full"))
        else:
            super().write(changes, done)


async def test_leases_end_while_the_ledger_cannot_be_written(broker):
    adapter, ledger = SimulatedAdapter(), FullLedger()
    async with pair(broker, adapter, ledger=ledger) as coordinator:
        coordinator.say(need())
        await finished(coordinator)
        ledger.full = True
        coordinator.say(need("b", token=2))
        await asyncio.sleep(150.0)
        assert adapter.handles == []
        ledger.full = False
        await asyncio.sleep(5.0)


async def test_killed_device_comes_back_cold():
    broker = MemoryBroker()
    adapter = SimulatedAdapter()
    device = SimulatedDevice(
        CARD,
        [use],
        connect=lambda: broker.transport("laptop"),
        resources={"model": ResourceKind(adapter, 8.0)},
    )
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(device.run())
            await coordinator.beat(connected=True)
            coordinator.say(need())
            assert (await finished(coordinator)).warm != ()
            device.crash()
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            held = await coordinator.reply(Held)
            assert (held.load.warm, (await finished(coordinator)).warm) == ((), ())
            running.cancel()


@pytest.mark.parametrize("error", [PermanentError, TemporaryError])
async def test_errors_of_loads_name_the_fault_that_they_are(error):
    shares = {"permanent" if error is PermanentError else "transient": 1.0}
    with pytest.raises(error):
        await SimulatedAdapter(**shares).load("a")
