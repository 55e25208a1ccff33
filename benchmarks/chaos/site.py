"""The processes of a campaign: mosquitto, a coordinator and daemons, each with its supervisor."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.roll_call import roll_call
from benchmarks.site import broker_in, folder_in, muster, transport
from benchmarks.supervisor import Supervised, running
from orchestrator.client import Client
from protocol.topics import Address
from protocol.transport.broker import BrokerProcess

AGENTS: Final = 5
SLOTS: Final = 2
LEASE_S: Final = 5.0  # so that a cut of some seconds outlasts it
BROKER: Final = "broker"
COORDINATOR: Final = "coordinator"

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
    broker, coordinator = broker_in(root, port), _coordinator(root, port)
    daemons = {f"agent-{n}": _agent(root, f"agent-{n}", port) for n in range(1, agents + 1)}
    me = Address("muster", "default", "chaos")
    async with running(broker), running(coordinator, *daemons.values()):
        async with roll_call(transport("muster/default/roll-call", port)) as roll:
            await roll.present([COORDINATOR, *daemons])
        async with Client(
            transport(str(me), port), me, Address("muster", "default", COORDINATOR)
        ) as client:
            yield Site(broker, coordinator, daemons, client)


def _coordinator(root: Path, port: int) -> Supervised:
    folder = folder_in(root, COORDINATOR)
    settings = COORDINATOR_SETTINGS.format(port=port, lease_s=LEASE_S)
    return muster("coordinator", folder, settings)


def _agent(root: Path, name: str, port: int) -> Supervised:
    settings = AGENT_SETTINGS.format(name=name, slots=SLOTS, port=port)
    return muster("agent", folder_in(root, name), settings)
