"""The coordinator as a process: that of `muster coordinator`, with the planner of an arm."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from benchmarks.crossdevice.endpoint import model
from benchmarks.crossdevice.planning import SuitePlanner
from orchestrator import settings as product
from orchestrator.cli.serving import tuning
from orchestrator.clock import suspended_too
from orchestrator.collection import rare_full_collections
from orchestrator.journal import SqliteJournal
from orchestrator.library import Orchestrator
from orchestrator.service import Service
from protocol import telemetry
from protocol.topics import Address
from protocol.transport.mqtt import MqttSettings, MqttTransport


async def serve(settings: product.Settings) -> None:
    """Coordinate until SIGTERM or SIGINT."""
    section = settings.coordinator
    address = Address(section.org, section.unit, section.id)
    connection = MqttTransport(MqttSettings.read(settings.broker, str(address)))
    folders = settings.planner.playbooks
    planner = SuitePlanner(folders, model=model(settings.planner.llm, folders[-1]))
    orchestrator = Orchestrator(
        connection,
        planner=planner,
        journal=SqliteJournal(settings.journal.path, synchronous=settings.journal.synchronous),
        address=address,
        tuning=tuning(settings.timing, settings.retention, settings.pinning),
        policy=settings.scheduling.policy,
        pinning=settings.pinning.policy,
        clock=suspended_too,
    )
    planner.orchestrator = orchestrator
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with rare_full_collections():
        async with orchestrator, Service(orchestrator, connection):
            await stop.wait()


def main() -> None:
    """Read `muster.toml`, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    settings = product.read(parser.parse_args().config, environment=os.environ)
    telemetry.configure(json=False, level=telemetry.Level.WARNING)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
