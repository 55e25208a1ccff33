import asyncio

import pytest

from agents.simulated import Script, SimulatedDevice, chance, scripted
from agents.skills import Context, PermanentError, TemporaryError
from protocol.messages import Held, Hello
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, Effect, FailureKind, SkillInfo, Succeeded
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator


def context(attempt="a"):
    return Context(attempt=attempt, run=RUN, task="task")


async def test_scripted_skill_takes_its_time_and_returns_its_output():
    skill = scripted("work", Script(duration_s=30, output="done"))
    assert await skill.call(context(), {}) == "done"
    assert asyncio.get_running_loop().time() == 30
    await skill.call(context(), {"seconds": 5})
    assert asyncio.get_running_loop().time() == 35


async def test_scripted_skill_does_nothing_at_once_by_default():
    skill = scripted("noop", effect=Effect.ONCE)
    assert await skill.call(context(), {}) is None
    assert (skill.info.effect, skill.info.estimate_s) == (Effect.ONCE, None)


@pytest.mark.parametrize(
    ("script", "error"),
    [(Script(transient=1), TemporaryError), (Script(permanent=1), PermanentError)],
)
async def test_scripted_failure_is_raised(script, error):
    with pytest.raises(error):
        await scripted("fail", script).call(context(), {})


async def test_scripted_wrong_output_misses_its_schema():
    info = SkillInfo("count", output_schema={"type": "integer"})
    skill = scripted("count", Script(wrong=1), info=info)
    assert isinstance(await skill.call(context(), {}), dict)
    assert skill.info is info


async def test_scripted_stall_never_comes_back():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10_000):
            await scripted("hang", Script(stall=1)).call(context(), {})


async def test_shares_come_true_and_depend_on_nothing_but_seed_and_attempt():
    script = Script(transient=0.2, permanent=0.1, output="fine")

    async def tries(seed):
        skill, came = scripted("work", script, seed=seed), []
        for number in range(2000):
            try:
                came.append(await skill.call(context(f"a{number}"), {}))
            except (TemporaryError, PermanentError) as error:
                came.append(type(error))
        return came

    first = await tries(1)
    assert first == await tries(1) != await tries(2)
    assert 0.17 < first.count(TemporaryError) / 2000 < 0.23
    assert 0.08 < first.count(PermanentError) / 2000 < 0.12
    assert chance(1, "work", "a0") == pytest.approx(0.5, abs=0.5)


async def test_killed_device_comes_back_with_its_ledger_and_the_truth():
    broker = MemoryBroker()
    device = SimulatedDevice(
        DeviceCard(DeviceId("laptop"), slots=2),
        [scripted("count", Script(duration_s=100)), scripted("noop")],
        connect=lambda: broker.transport("laptop"),
    )
    device.crash()
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(device.run())
            await coordinator.beat(connected=True)
            coordinator.say(offer(skill="noop"))
            assert await coordinator.outcome() == Succeeded(None)
            coordinator.say(offer("b", token=2))
            await coordinator.reply()
            device.crash()
            said = len(coordinator.replies)
            reborn = await coordinator.beat(connected=True)
            assert len(coordinator.replies) == said
            assert reborn.incarnation == device.ledger.incarnation
            coordinator.say(Hello("c", {RUN: 1}))
            assert set((await coordinator.reply(Held)).attempts) == {"a", "b"}
            assert await coordinator.outcome() == Succeeded(None)
            assert (await coordinator.outcome()).kind is FailureKind.DEVICE_LOST
            running.cancel()
