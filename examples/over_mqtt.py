"""The same over a broker: what is said crosses MQTT, between processes and machines alike."""

import asyncio

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from protocol.transport.broker import BrokerProcess
from protocol.transport.mqtt import MqttSettings, MqttTransport


@skill
async def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


async def main() -> None:
    """Start mosquitto as a child, for as long as this takes."""
    async with BrokerProcess() as broker:

        def connection(agent: str) -> MqttTransport:
            return MqttTransport(MqttSettings(f"muster/default/{agent}", port=broker.port))

        async with (
            Orchestrator(connection("coordinator")) as orchestrator,
            Agent("laptop", [shout], transport=connection("laptop")),
        ):
            task = TaskSpec("loud", "shout", {"text": "over the wire"})
            run = await orchestrator.submit("shout", plan=EditBatch(0, (AddTask(task),)))
            print((await run.result()).outputs)


asyncio.run(main())
