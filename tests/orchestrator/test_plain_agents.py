"""An A2A agent without our extension, whose answers come late or while nobody listens."""

import asyncio
from contextlib import asynccontextmanager

from orchestrator import Limits, Orchestrator
from orchestrator.core.facts import AttemptLapsed, AttemptSucceeded
from protocol import messages as m
from protocol import topics
from protocol.codec import decode_order, encode_card, encode_reply
from protocol.topics import Address
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, SkillInfo, Succeeded
from tests.support.muster import plan, spec
from tests.support.peers import RecordingPeer, connected

AGENT = Address("muster", "default", "plain")
COORDINATOR = "muster/default/coordinator"
CARD = DeviceCard(DeviceId("plain"), skills=(SkillInfo("work"),), extension=False)
NOT_FOUND, NOT_CANCELABLE = -32001, -32002


class Plain(RecordingPeer):
    """Does what it is offered in `work_s`, and says so at the end alone; knows `GetTask`."""

    def __init__(self, transport, *, work_s, forgets=False, mute=False):
        super().__init__(topics.request(AGENT))
        self.asked = []
        self._transport = transport
        self._work_s = work_s
        self._forgets = forgets
        self._mute = mute or forgets
        self._done_at = {}
        self.on_connect = lambda: transport.publish(encode_card(CARD, address=AGENT))
        self.on_message = self._take

    def _take(self, message):
        request = decode_order(message)
        attempt, now = request.order.attempt, asyncio.get_running_loop().time()
        self.asked.append(type(request.order))
        if isinstance(request.order, m.Offer) and attempt not in self._done_at:
            self._done_at[attempt] = now + self._work_s
            if not self._mute:
                loop = asyncio.get_running_loop()
                loop.call_later(self._work_s, self._finish, request)
        elif isinstance(request.order, m.Query):
            self._answer(request, self._report(attempt))
        elif isinstance(request.order, m.Cancel):
            self._answer(request, m.Refused("", NOT_CANCELABLE, "", "it is over"))

    def _finish(self, request):
        self._answer(request, self._report(request.order.attempt))

    def _report(self, attempt):
        if self._forgets:
            return m.Refused("", NOT_FOUND, "", "there is no such task")
        is_done = asyncio.get_running_loop().time() >= self._done_at[attempt] - 1e-6
        if is_done:
            return m.Report(attempt, m.Phase.FINISHED, outcome=Succeeded("done"))
        return m.Report(attempt, m.Phase.STARTED)

    def _answer(self, request, reply):
        self._transport.publish(
            encode_reply(
                reply,
                to=request.reply_to,
                correlation=request.correlation,
                request_id=request.request_id,
                form=request.form,
            )
        )


@asynccontextmanager
async def fleet(**how):
    """One plain agent, and a coordinator that knows it."""
    broker = MemoryBroker(reconnect_s=2.0)
    link = broker.transport(str(AGENT))
    agent = Plain(link, **how)
    async with (
        connected(link, agent),
        Orchestrator(broker.transport(COORDINATOR)) as orchestrator,
    ):
        yield orchestrator, broker, agent


async def facts(run):
    return [type(event.fact) async for event in run.events()]


async def test_a_reply_that_came_while_the_coordinator_was_away_is_asked_for():
    async with fleet(work_s=10.0) as (orchestrator, broker, agent):
        run = await orchestrator.submit("x", plan=plan("t"))
        await asyncio.sleep(9)
        broker.kill(COORDINATOR)
        result = await run.result()
        assert asyncio.get_running_loop().time() < 15
    assert result.outputs == {"t": "done"}
    assert agent.asked[-1] is m.Query
    assert set(agent.asked) == {m.Offer, m.Query}


async def test_an_agent_that_answers_at_the_end_alone_does_not_lapse_at_the_start_limit():
    async with fleet(work_s=100.0) as (orchestrator, _, agent):
        task = spec("t", limits=Limits(start_s=15.0))
        run = await orchestrator.submit("x", plan=plan(task))
        assert (await run.result()).outputs == {"t": "done"}
        happened = await facts(run)
    assert AttemptLapsed not in happened
    assert AttemptSucceeded in happened
    assert agent.asked.count(m.Query) == 1


async def test_a_cancel_that_came_too_late_is_no_failure_and_the_result_is_taken():
    async with fleet(work_s=10.0, mute=True) as (orchestrator, _, agent):
        run = await orchestrator.submit("x", plan=plan("t"))
        await asyncio.sleep(12)
        await run.cancel("enough")
        result = await run.result()
        (task,) = run.snapshot().tasks
    assert task.state == "succeeded"
    assert task.output == "done"
    assert result.reason == "enough"
    assert agent.asked[-2:] == [m.Cancel, m.Query]


async def test_an_agent_that_does_not_know_the_attempt_ends_it_soon():
    async with fleet(work_s=10.0, forgets=True) as (orchestrator, _, agent):
        limits = Limits(start_s=5.0, unknown_s=20.0)
        run = await orchestrator.submit("x", plan=plan(spec("t", limits=limits)))
        result = await run.result()
        assert asyncio.get_running_loop().time() < 40
    assert "plain does not know the attempt" in result.missing["t"]
    assert m.Query in agent.asked
