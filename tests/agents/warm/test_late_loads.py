"""Loads that go on for longer than anybody waits for their end: nothing of them stays."""

import asyncio

import pytest

from agents.simulated import SimulatedAdapter
from agents.skills import PermanentError
from agents.warm.keeper import EVICT_S
from protocol.messages import Cancel
from protocol.types import Succeeded
from tests.support.agents import RUN, A, pin
from tests.support.warm_agent import finished, need, pair


class Deaf(SimulatedAdapter):
    """Takes no notice of the end of its first load; what comes of that is too late."""

    def __init__(self, *, fails, late_s):
        super().__init__(load_s=4.0)
        self.fails = fails
        self.late_s = late_s
        self.came_late = False

    async def load(self, key):
        try:
            return await super().load(key)
        except asyncio.CancelledError:
            await asyncio.sleep(self.late_s)
            self.came_late = True
            if self.fails:
                raise PermanentError("too late for an error, too") from None
            return await super().load(key)


@pytest.mark.parametrize("late_s", [EVICT_S + 2.0, EVICT_S + 20.0])
@pytest.mark.parametrize("fails", [True, False])
async def test_load_that_comes_after_its_eviction_harms_no_later_one_and_is_let_go(
    broker, fails, late_s
):
    adapter = Deaf(fails=fails, late_s=late_s)
    async with pair(broker, adapter) as coordinator:
        coordinator.say(need("a", pin(release_s=0.0)))
        await coordinator.reply()
        coordinator.say(Cancel(A, RUN, 1))
        await coordinator.outcome()
        coordinator.say(need("b", pin(token=2), token=2, args={"seconds": 60.0}))
        while (report := await finished(coordinator)).attempt != "b":
            pass
        assert adapter.came_late
        assert report.outcome == Succeeded("a1")
        assert [each.number for each in adapter.handles] == [1]
    assert adapter.handles == []
