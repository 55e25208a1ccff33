"""What every policy keeps to: nothing beyond capacity, nothing left behind, I5 and I8."""

import pytest

from orchestrator.core.scheduling.policies import POLICIES, Policy
from orchestrator.library import Orchestrator
from tests.support.muster import muster, plan, spec, work


def test_every_policy_is_in_the_table():
    assert set(POLICIES) == set(Policy)


@pytest.mark.parametrize("policy", Policy)
async def test_a_policy_gets_a_layered_run_done_within_every_devices_slots(policy):
    names = [f"t{n}" for n in range(60)]
    tasks = [spec(name, args={"seconds": 0.1 * (n % 7)}) for n, name in enumerate(names)]
    edges = [(names[n], names[n + 9]) for n in range(len(names) - 9)]
    devices = {name: [work()] for name in ("a", "b", "c")}
    async with muster(devices, policy=policy) as (orchestrator, _):
        assert isinstance(orchestrator, Orchestrator)
        run = await orchestrator.submit("x", plan=plan(*tasks, after=edges))
        async for _ in run.events():
            orchestrator.coordinator.engine.check()
        assert (await run.result()).succeeded
