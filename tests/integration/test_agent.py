"""The daemon as a process, over a real broker, through its own `kill -9` and the broker's."""

import asyncio
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol.messages import Held, Hello, Phase
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import Effect, FailureKind, Succeeded, Unknown
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator

pytestmark = [pytest.mark.broker, pytest.mark.timeout(60)]

ROOT = Path(__file__).resolve().parents[2]
OWN_SKILLS = """
import asyncio
from agents.skills import skill
from protocol.types import Effect

@skill
async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"

@skill(effect=Effect.ONCE)
async def label(seconds: float) -> None:
    await asyncio.sleep(seconds)
"""


@asynccontextmanager
async def process(*command, **options):
    running = await asyncio.create_subprocess_exec(*map(str, command), **options)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def mosquitto(port, tmp_path):
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_type none\n"
    )
    return lambda: process("mosquitto", "-c", config)


@pytest.fixture
def daemon(port, tmp_path):
    (tmp_path / "own_skills.py").write_text(OWN_SKILLS)
    config = tmp_path / "device.toml"
    config.write_text(
        f'[device]\nid = "laptop"\nslots = 4\n[broker]\nport = {port}\n'
        '[skills]\npython = ["own_skills:nap", "own_skills:label"]\n'
    )
    env = {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    return lambda: process(sys.executable, "-m", "agents", "--config", config, env=env)


@pytest.fixture
def coordinator(port):
    settings = MqttSettings("muster/default/coordinator", port=port, backoff_s=(0.05, 0.2))
    return ScriptedCoordinator(MqttTransport(settings))


def call(name, attempt, seconds, token):
    effect = Effect.ONCE if name == "label" else Effect.PURE
    args = {"seconds": seconds}
    return offer(attempt, skill=name, args=args, effect=effect, token=token, ttl_s=60.0)


async def test_killed_daemon_repeats_nothing_and_tells_what_it_had_started(
    mosquitto, daemon, coordinator
):
    async with mosquitto(), coordinator:
        async with daemon() as agent:
            await coordinator.beat(connected=True)
            coordinator.say(call("nap", "a", 0, 1))
            assert await coordinator.outcome() == Succeeded("slept")
            coordinator.say(call("nap", "b", 600, 2))
            coordinator.say(call("label", "c", 600, 3))
            started = {(await coordinator.reply()).attempt, (await coordinator.reply()).attempt}
            assert started == {"b", "c"}
            agent.send_signal(signal.SIGKILL)
            await agent.wait()
        while coordinator.cards[-1].source != "lwt":
            await coordinator.news()
        async with daemon() as agent:
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            held = (await coordinator.reply(Held)).attempts
            assert held == dict.fromkeys("abc", Phase.FINISHED)
            outcomes = [await coordinator.outcome() for _ in range(3)]
            assert outcomes[0] == Succeeded("slept")
            assert outcomes[1].kind is FailureKind.DEVICE_LOST
            assert isinstance(outcomes[2], Unknown)
            agent.send_signal(signal.SIGTERM)
            assert await agent.wait() == 0
        while coordinator.cards[-1].source != "agent":
            await coordinator.news()
        assert coordinator.cards[-1].status == "offline"


async def test_result_made_while_the_broker_was_dead_arrives_after_its_restart(
    mosquitto, daemon, coordinator
):
    async with coordinator:
        async with mosquitto():
            running = daemon()
            await running.__aenter__()
            await coordinator.beat(connected=True)
            coordinator.say(call("nap", "a", 0.6, 1))
            await coordinator.reply()
        async with mosquitto():
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            assert await coordinator.outcome() == Succeeded("slept")
        await running.__aexit__(None, None, None)
