"""One device as a process: the real agent, on emulated hardware, over a network that may fail.

SIGUSR1 cuts its network without a word, or mends it; the connection stands meanwhile.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from agents import config
from agents.ledger import SqliteLedger
from agents.runtime import Agent
from benchmarks.crossdevice import skills
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import Hardware
from protocol import telemetry
from protocol.topics import Address
from protocol.transport.faults import FaultyTransport
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import DeviceCard, DeviceId


async def serve(settings: config.DeviceConfig, control: Path) -> None:
    """Be the device until SIGTERM or SIGINT."""
    device, profile = settings.device, FLEET[settings.device.id].hardware
    hardware = Hardware(profile, control)
    address = Address(device.org, device.unit, device.id)
    broker = MqttTransport(MqttSettings.read(settings.broker, str(address)))
    network = FaultyTransport(broker, profile.network, seed=device.id)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def turn() -> None:
        network.partitioned = not network.partitioned

    loop.add_signal_handler(signal.SIGUSR1, turn)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ledger = SqliteLedger(device.state / "ledger.db")
    agent = Agent(
        card(settings),
        skills.of(settings, hardware),
        transport=network,
        ledger=ledger,
        resources=skills.resources(settings),
    )
    try:
        async with agent:
            await stop.wait()
    finally:
        ledger.close()


def card(settings: config.DeviceConfig) -> DeviceCard:
    """Return what the device says of itself."""
    device = settings.device
    return DeviceCard(
        DeviceId(device.id), labels=device.labels, slots=device.slots, speed=device.speed
    )


def main() -> None:
    """Read `device.toml`, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    path: Path = parser.parse_args().config
    telemetry.configure(json=False, level=telemetry.Level.WARNING)
    asyncio.run(serve(config.read(path), path.with_name("control.json")))


if __name__ == "__main__":
    main()
