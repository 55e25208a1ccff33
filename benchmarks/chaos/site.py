"""The processes of a campaign: mosquitto, a coordinator and daemons, each with its supervisor."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.roll_call import roll_call
from benchmarks.supervisor import Supervised, running
from orchestrator.client import Client
from protocol.topics import Address
from protocol.transport.broker import BrokerProcess, find_mosquitto
from protocol.transport.mqtt import MqttSettings, MqttTransport

AGENTS: Final = 5
SLOTS: Final = 2
PAUSE_S: Final = 1.0  # what a kill does not say otherwise
LEASE_S: Final = 5.0  # so that a cut of some seconds outlasts it
BROKER: Final = "broker"
COORDINATOR: Final = "coordinator"
MUSTER: Final = (sys.executable, "-m", "orchestrator")

COORDINATOR_SETTINGS: Final = """\
[broker]
port = {port}

[journal]
path = "journal.db"

[timing]
lease_s = {lease_s}
"""
AGENT_SETTINGS: Final = """\
[device]
id = "{name}"
slots = {slots}

[broker]
port = {port}

[skills]
python = ["benchmarks.chaos.skills:SKILLS"]
system = {{ enabled = false }}
table = {{ enabled = false }}
text = {{ enabled = false }}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What runs, by name, and a client of the coordinator."""

    broker: Supervised
    coordinator: Supervised
    agents: Mapping[str, Supervised]
    client: Client


@asynccontextmanager
async def open_site(root: Path, *, agents: int = AGENTS) -> AsyncIterator[Site]:
    """Start everything in a folder of its own below `root`; at the end no process is left.

    Raises:
        BrokerError: mosquitto is not installed, or no port is free.
        ExceptionGroup: of `EndedError`: a program ended by itself.
    """
    port = BrokerProcess().port
    broker, coordinator = _broker(root, port), _coordinator(root, port)
    daemons = {f"agent-{n}": _agent(root, f"agent-{n}", port) for n in range(1, agents + 1)}
    me = Address("muster", "default", "chaos")
    async with running(broker), running(coordinator, *daemons.values()):
        async with roll_call(_transport("muster/default/roll-call", port)) as roll:
            await roll.present([COORDINATOR, *daemons])
        async with Client(
            _transport(str(me), port), me, Address("muster", "default", COORDINATOR)
        ) as client:
            yield Site(broker, coordinator, daemons, client)


def _broker(root: Path, port: int) -> Supervised:
    folder = _folder(root, BROKER)
    config = folder / "mosquitto.conf"
    config.write_text(BrokerProcess(port).configuration(folder), encoding="utf-8")
    return Supervised((find_mosquitto(), "-c", str(config)), log=folder / "log", pause_s=PAUSE_S)


def _coordinator(root: Path, port: int) -> Supervised:
    folder = _folder(root, COORDINATOR)
    settings = COORDINATOR_SETTINGS.format(port=port, lease_s=LEASE_S)
    return _muster("coordinator", folder, settings)


def _agent(root: Path, name: str, port: int) -> Supervised:
    settings = AGENT_SETTINGS.format(name=name, slots=SLOTS, port=port)
    return _muster("agent", _folder(root, name), settings)


def _muster(command: str, folder: Path, settings: str) -> Supervised:
    path = folder / "settings.toml"
    path.write_text(settings, encoding="utf-8")
    return Supervised(
        (*MUSTER, command, "--config", str(path)), log=folder / "log", pause_s=PAUSE_S
    )


def _folder(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    return folder


def _transport(client_id: str, port: int) -> MqttTransport:
    return MqttTransport(MqttSettings(client_id, port=port))
