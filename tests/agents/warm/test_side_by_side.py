"""Loads that do not need each other's memory run side by side, and end each by itself."""

import asyncio

import pytest

from agents.simulated import SimulatedAdapter
from agents.skills import PermanentError
from protocol.messages import Cancel
from protocol.types import Cancelled, FailureKind, Succeeded
from tests.support.agents import RUN, A, pin
from tests.support.warm_agent import finished, need, now, pair, use


class Uneven(SimulatedAdapter):
    """The key `bad` cannot be loaded, and that shows after a second."""

    async def load(self, key):
        if key == "bad":
            await asyncio.sleep(1.0)
            raise PermanentError("it is damaged")
        return await super().load(key)


def both(attempt="a", **changes):
    return need(attempt, pin("a"), pin("b"), args={"key": "b"}, **changes)


async def test_two_needs_of_a_task_load_side_by_side(broker):
    adapter = SimulatedAdapter(load_s=30.0)
    async with pair(broker, adapter, skills=[use]) as coordinator:
        coordinator.say(both())
        report = await finished(coordinator)
        took_s = now()

    assert report.outcome == Succeeded("b1")
    assert took_s == pytest.approx(31.0, abs=0.1)
    assert [each.load_s for each in report.warm] == [30.0, 30.0]


async def test_needs_of_two_tasks_load_side_by_side(broker):
    async with pair(broker, SimulatedAdapter(load_s=30.0), skills=[use]) as coordinator:
        coordinator.say(need("a", pin("a")))
        coordinator.say(need("b", pin("b"), token=2))
        outcomes = [(await finished(coordinator)).outcome for _ in "ab"]
        assert now() == pytest.approx(31.0, abs=0.1)

    assert outcomes == [Succeeded("a0"), Succeeded("b1")]


async def test_needs_without_room_for_both_load_one_after_the_other(broker):
    async with pair(broker, SimulatedAdapter(load_s=30.0), skills=[use]) as coordinator:
        coordinator.say(need("a", pin("a", amount=8.0, protected_s=0.0)))
        await finished(coordinator)
        coordinator.say(need("b", pin("b", amount=8.0), token=2))
        await finished(coordinator)
        assert now() == pytest.approx(62.0, abs=0.1)


async def test_load_beside_one_that_fails_is_kept_for_its_lease_and_no_longer(broker):
    adapter = Uneven(load_s=30.0)
    async with pair(broker, adapter, skills=[use]) as coordinator:
        coordinator.say(need("a", pin("bad"), pin("good")))
        failed = (await finished(coordinator)).outcome
        assert (failed.kind, now()) == (FailureKind.SKILL_ERROR, pytest.approx(1.0, abs=0.1))
        await asyncio.sleep(99.9)
        assert [each.key for each in adapter.handles] == ["good"]
        await asyncio.sleep(0.2)
        assert (adapter.handles, (await coordinator.beat()).load.used) == ([], {})


async def test_load_beside_one_that_fails_is_stopped_if_it_has_no_lease(broker):
    adapter = Uneven(load_s=30.0)
    async with pair(broker, adapter, skills=[use]) as coordinator:
        coordinator.say(need("a", pin("bad"), pin("good", release_s=0.0)))
        await finished(coordinator)
        assert not (await coordinator.beat()).load.used
        await asyncio.sleep(60.0)
        assert adapter.handles == []
        assert adapter.loads == 1


async def test_cancel_stops_every_load_that_nobody_else_wants(broker):
    adapter = SimulatedAdapter(load_s=30.0)
    async with pair(broker, adapter, skills=[use]) as coordinator:
        coordinator.say(need("a", pin("a", release_s=0.0), pin("b", release_s=0.0)))
        coordinator.say(need("b", pin("b", release_s=0.0), token=2))
        await asyncio.sleep(1.0)
        coordinator.say(Cancel(A, RUN, 1))
        told = [await finished(coordinator) for _ in range(3)]  # of the cancelled one, twice
        assert [type(each.outcome) for each in told] == [Cancelled, Cancelled, Succeeded]
        assert adapter.loads == 2
        await asyncio.sleep(1.0)
        assert adapter.handles == []
