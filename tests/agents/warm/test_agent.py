"""Warm resources of a whole agent, over the wire, on the virtual clock."""

import asyncio

import pytest

from agents.simulated import SimulatedAdapter, SimulatedDevice
from agents.skills import Context
from agents.warm.adapters import ResourceKind
from protocol.messages import Cancel, Drain, Held, Hello, Phase, Renew
from protocol.transport.memory import MemoryBroker
from protocol.types import Cancelled, Failed, FailureKind, Rejected, Succeeded, WarmResource
from tests.support.agents import RUN, A, offer, pin
from tests.support.coordinator import ScriptedCoordinator
from tests.support.warm_agent import CARD, finished, need, now, pair, use


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
