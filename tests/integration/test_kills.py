"""`kill -9` of a coordinator and of a daemon, each a process; effects are counted in a file."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import Orchestrator, RunStatus
from orchestrator.cli.following import batches
from orchestrator.client import Client
from orchestrator.core.facts import AttemptStarted, CoordinatorStarted, TaskUnknown
from orchestrator.journal import SqliteJournal
from orchestrator.library import DEFAULT_ADDRESS
from protocol.topics import Address
from protocol.types import DeviceCard, Effect, Succeeded
from tests.support.mosquitto import program
from tests.support.muster import plan, spec

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
CALLER = Address("muster", "default", "caller")
SKILLS = """
import asyncio
from pathlib import Path
from agents.skills import skill
from protocol.types import Effect

EFFECTS = Path(__file__).with_name("effects")

def leave(name):
    lines = EFFECTS.read_text().splitlines() if EFFECTS.exists() else []
    with EFFECTS.open("a") as file:
        file.write(f"{name}\\n")
    return name in lines

@skill(effect=Effect.IDEMPOTENT)
async def fetch(name: str) -> str:
    '''Take long, but only the first time.'''
    if not leave(name) and name.startswith("long"):
        await asyncio.sleep(600)
    return name

@skill(effect=Effect.ONCE)
async def post(name: str) -> None:
    '''Take long.'''
    leave(name)
    await asyncio.sleep(600)
"""


async def left(file, names):
    """Wait until all of them have left their marks."""
    async with asyncio.timeout(10):
        while {*file.read_text().split()} != names:  # noqa: ASYNC110 - files change in silence
            await asyncio.sleep(0.01)


async def test_coordinator_killed_at_work_finishes_its_run_and_repeats_nothing_peer_12(
    broker, tmp_path
):
    effects: Counter[str] = Counter()

    @skill(effect=Effect.ONCE)
    async def mark(name: str) -> None:
        """Leave a mark."""
        effects[name] += 1
        await asyncio.sleep(0.05)

    names = [f"t{n}" for n in range(120)]
    edits = [{"add_task": {"id": each, "skill": "mark", "args": {"name": each}}} for each in names]
    settings = tmp_path / "muster.toml"
    settings.write_text(f"[broker]\nport = {broker.port}\n[journal]\npath = 'journal.db'\n")
    succeeded, moments = 0, [10, 60]
    async with AsyncExitStack() as stack:
        for name in ("a", "b"):
            card = DeviceCard(name, slots=2)
            agent = Agent(card, [mark], transport=broker.transport(name))
            await stack.enter_async_context(agent)
        coordinator = await stack.enter_async_context(
            program("coordinator", "--config", settings, log=tmp_path / "log")
        )
        client = Client(broker.transport(str(CALLER)), CALLER, DEFAULT_ADDRESS)
        await stack.enter_async_context(client)
        run = (await client.call("submit", {"request": "mark", "plan": {"edits": edits}}))["run"]
        async for events, _ in batches(client, run, 0):
            succeeded += sum(event["fact"] == "AttemptSucceeded" for event in events)
            if moments and succeeded >= moments[0]:
                del moments[0]
                coordinator.kill()
        shown = await client.call("show", {"run": run})
    assert shown["run"]["status"] == RunStatus.SUCCEEDED
    assert effects == Counter(names)
    entries = await SqliteJournal(tmp_path / "journal.db").entries()
    assert sum(isinstance(each.fact, CoordinatorStarted) for each in entries) == 3


async def test_daemon_killed_at_work_tries_again_what_may_be_and_asks_about_the_rest(
    broker, tmp_path, monkeypatch
):
    (tmp_path / "own.py").write_text(SKILLS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    config = tmp_path / "device.toml"
    config.write_text(
        f'[device]\nid = "server"\nslots = 4\n[broker]\nport = {broker.port}\n'
        '[skills]\npython = ["own:fetch", "own:post"]\n'
    )
    work = {"short": "fetch", "long": "fetch", "letter": "post"}
    tasks = [spec(name, kind, args={"name": name}) for name, kind in work.items()]
    facts, killed = [], False
    async with (
        program("agent", "--config", config, log=tmp_path / "log") as daemon,
        Orchestrator(broker.transport("coordinator")) as orchestrator,
    ):
        run = await orchestrator.submit("work", plan=plan(*tasks, after=[("short", "long")]))
        async for event in run.events():
            facts.append(event.fact)
            started = {each.task for each in facts if isinstance(each, AttemptStarted)}
            if not killed and started >= {"long", "letter"}:
                await left(tmp_path / "effects", {"short", "long", "letter"})
                killed = True
                daemon.kill()
            if isinstance(event.fact, TaskUnknown):
                assert event.fact.task == "letter"
                await run.settle("letter", Succeeded("it was in the post"))
        result = await run.result()
    assert result.outputs == {"long": "long", "letter": "it was in the post"}
    effects = (tmp_path / "effects").read_text().split()
    assert Counter(effects) == {"short": 1, "long": 2, "letter": 1}
