"""Adapters, skills and a ledger that fail, hang or do not listen: the agent lets go anyway."""

import asyncio

import pytest

from agents.runtime import STOP_S
from agents.simulated import SimulatedAdapter
from agents.skills import Context, PermanentError, TemporaryError, skill
from agents.warm.keeper import EVICT_S
from protocol.messages import Cancel
from protocol.types import Failed, FailureKind, Succeeded, WarmResource
from tests.support.agents import RUN, A, offer, pin
from tests.support.ledgers import FullLedger
from tests.support.warm_agent import finished, need, now, pair


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


@pytest.mark.parametrize("error", [PermanentError, TemporaryError])
async def test_errors_of_loads_name_the_fault_that_they_are(error):
    shares = {"permanent" if error is PermanentError else "transient": 1.0}
    with pytest.raises(error):
        await SimulatedAdapter(**shares).load("a")
