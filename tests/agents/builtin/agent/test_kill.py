"""The daemon with a model, through its own `kill -9`: over a real broker, files and HTTP."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol.messages import Hello
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import Effect, Succeeded, Unknown
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator
from tests.support.model_server import ModelServer, Says

pytestmark = pytest.mark.broker

ROOT = Path(__file__).resolve().parents[4]
OWN_SKILLS = """
import asyncio
from pathlib import Path
from agents.skills import Context, skill
from protocol.types import Effect

@skill(effect=Effect.ONCE)
async def label(context: Context, text: str, seconds: float) -> None:
    with Path("labels").open("a") as file:
        file.write(text + " ")
    await asyncio.sleep(seconds)
"""
CONFIG = """
[device]
id = "laptop"
[broker]
port = {port}
[skills]
python = ["own_skills:label"]
[skills.agent]
base_url = "{url}"
model = "m"
allow = ["label"]
"""


def label(text, seconds):
    return "label", {"text": text, "seconds": seconds}


@asynccontextmanager
async def daemon(folder):
    command = (sys.executable, "-m", "agents", "--config", folder / "device.toml")
    env = {"PYTHONPATH": f"{ROOT}:{folder}"}
    running = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def written(path, text):
    async with asyncio.timeout(10):
        while not path.exists() or path.read_text() != text:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_a_killed_daemon_repeats_no_call_and_a_further_attempt_is_told(mosquitto, tmp_path):
    (tmp_path / "own_skills.py").write_text(OWN_SKILLS)
    script = [Says(calls=[label("one", 0), label("two", 600), label("three", 0)]), Says("done")]
    coordinator = ScriptedCoordinator(
        MqttTransport(MqttSettings("muster/default/coordinator", port=mosquitto.port))
    )
    attempt = {"skill": "agent.do", "args": {"task": "Label."}, "effect": Effect.ONCE, "ttl_s": 60}
    async with ModelServer(script).running() as server, coordinator:
        (tmp_path / "device.toml").write_text(CONFIG.format(port=mosquitto.port, url=server.url))
        async with daemon(tmp_path) as agent:
            await coordinator.beat(connected=True)
            coordinator.say(offer("a", task="t", token=1, **attempt))
            await written(tmp_path / "labels", "one two ")
            agent.send_signal(signal.SIGKILL)
            await agent.wait()
        async with daemon(tmp_path):
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            unknown = await coordinator.outcome()
            coordinator.say(offer("b", task="t", token=2, **attempt))
            outcome = await coordinator.outcome()
    assert isinstance(unknown, Unknown)
    assert "label was started, did not end, and may have taken effect" in unknown.detail
    assert "Carried out before: label." in unknown.detail
    assert isinstance(outcome, Succeeded)
    assert (tmp_path / "labels").read_text() == "one two three "
    assert "it may have taken effect" in server.asked[1].words
    assert len(server.asked) == 2
