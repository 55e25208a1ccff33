"""A request in words, answered by a playbook of one's own; no model is needed."""

import asyncio
import tempfile
from pathlib import Path

from agents.builtin import system, text
from agents.runtime import Agent
from orchestrator import Orchestrator
from orchestrator.planner.playbook import PlaybookPlanner
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId

PLAYBOOK = """\
name: cores
description: Say how many cores a device has.
match:
  - how many cores has the {role}
parameters:
  role:
    description: The label "role" of the device.
tasks:
  - id: facts
    skill: system.facts
    labels: {role: "${role}"}
  - id: answer
    skill: text.template
    args:
      template: The $role has $cores cores.
      values: {role: "${role}", cores: "${facts.cores}"}
"""


async def main(folder: Path) -> None:
    """Ask one of two devices."""
    (folder / "cores.yaml").write_text(PLAYBOOK)
    planner = PlaybookPlanner([folder])
    broker = MemoryBroker()

    def device(name: str) -> Agent:
        card = DeviceCard(DeviceId(name), labels={"role": name})
        skills = [*system.skills(), *text.skills()]
        return Agent(card, skills, transport=broker.transport(name))

    async with (
        Orchestrator(broker.transport("coordinator"), planner=planner) as orchestrator,
        device("laptop"),
        device("server"),
    ):
        run = await orchestrator.submit("How many cores has the server?")
        result = await run.result()
        print(result.outputs or result.reason)


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder)))
