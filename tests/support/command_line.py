"""A coordinator and a device in a thread, and what the tests of the commands do with them."""

import asyncio
import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest

from agents.runtime import Agent
from agents.simulated import SimulatedAdapter
from agents.skills import Context, PermanentError, skill
from agents.warm.adapters import ResourceKind
from orchestrator.library import Orchestrator
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.service import Service
from protocol.topics import Address
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import Effect
from tests.support.muster import work

UNIT = "cli-tests"
PLAYBOOKS = {
    "nap": """
description: Sleep, then work.
match: ["nap for {seconds}"]
parameters: {seconds: {description: how long, type: number, default: 0}}
tasks:
  - {id: nap, skill: work, args: {seconds: "${seconds}"}}
  - {id: work, skill: work, after: [nap]}
""",
    "boom": "description: Fail.\ntasks: [{id: boom, skill: boom}]\n",
    "chat": """
description: Work twice in one session, with a nap in between.
match: ["chat for {seconds}"]
parameters: {seconds: {description: how long, type: number}}
tasks:
  - id: ask
    skill: work
    resources: [{kind: session, key: s, amount: 1}, {kind: model, key: m, amount: 2}]
  - {id: nap, skill: work, args: {seconds: "${seconds}"}, after: [ask]}
  - {id: say, skill: work, resources: [{kind: session, key: s, amount: 1}], after: [nap]}
""",
    "question": "description: Ask.\ntasks: [{id: ask, skill: ask}]\n",
}


@skill(effect=Effect.PURE)
async def ask(context: Context) -> str:
    """Ask a person."""
    return f"they said {await context.ask('how much?')}"


@skill(effect=Effect.PURE)
async def boom() -> None:
    """Fail."""
    raise PermanentError("boom, as asked")


async def serve(port, folder, ready, stop):
    def link(name):
        return MqttTransport(MqttSettings(f"muster/{UNIT}/{name}", port=port))

    transport = link("coordinator")
    orchestrator = Orchestrator(
        transport,
        planner=PlaybookPlanner([folder]),
        address=Address("muster", UNIT, "coordinator"),
    )
    service = Service(orchestrator, transport)
    stopping = asyncio.Event()
    stop.append((asyncio.get_running_loop(), stopping))
    skills = [work(output="done"), ask, boom]
    kinds = {kind: ResourceKind(SimulatedAdapter(0.05), 8.0) for kind in ("session", "model")}
    laptop = Agent("laptop", skills, transport=link("laptop"), unit=UNIT, resources=kinds)
    async with orchestrator, service, laptop:
        while not any(each.online for each in orchestrator.devices()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        ready.set()
        await stopping.wait()


def one_line(result, code, words):
    assert result.exit_code == code, result.output
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


def until(muster, run, words):
    for _ in range(100):
        if words in muster("show", run).stdout:
            return
        time.sleep(0.05)
    pytest.fail(f"{words} was never shown")


@contextmanager
def signalled(number, when):
    """Send ourselves a signal once `when` holds and somebody listens; else it does no harm."""

    def send():
        deadline = time.monotonic() + 10  # noqa: TID251 - a thread, beside any loop
        while time.monotonic() < deadline:  # noqa: TID251 - as above
            if when() and signal.getsignal(number) is not unheard:
                break
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    before = signal.signal(number, lambda *_: None) if number != signal.SIGINT else None
    unheard = signal.getsignal(number)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        if before is not None:
            signal.signal(number, before)
