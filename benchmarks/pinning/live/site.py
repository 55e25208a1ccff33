"""The processes: mosquitto, a coordinator, a host of sessions and a device with tools."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.pinning.live.skills import ITERATIONS
from benchmarks.pinning.live.workload import CAPACITY, KIND
from benchmarks.roll_call import roll_call
from benchmarks.site import broker_in, folder_in, muster, transport
from benchmarks.supervisor import Supervised, running
from orchestrator.client import Client
from protocol.topics import Address
from protocol.transport.broker import BrokerProcess

COORDINATOR: Final = "coordinator"
HOST: Final = "host"
TOOLS: Final = "tools"
SLOTS: Final = 32  # memory is the only limit
COORDINATOR_SETTINGS: Final = """\
[broker]
port = {port}

[journal]
path = "journal.db"

[pinning]
policy = "{policy}"
cap_s = {cap_s}
"""
DEVICE_SETTINGS: Final = """\
[device]
id = "{name}"
slots = {slots}

[broker]
port = {port}

[skills]
python = ["benchmarks.pinning.live.skills:{skills}"]
system = {{ enabled = false }}
table = {{ enabled = false }}
text = {{ enabled = false }}
"""
HOST_SETTINGS: Final = f"""
[resources.{KIND}]
capacity = {CAPACITY}
python = "benchmarks.pinning.live.skills:SESSIONS"
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What may be killed, where the broker is, and a client of the coordinator."""

    coordinator: Supervised
    port: int
    client: Client


@asynccontextmanager
async def open_site(
    root: Path, *, policy: str, load_iterations: int, cap_s: float = 3600.0
) -> AsyncIterator[Site]:
    """Start everything in a folder of its own below `root`; at the end no process is left.

    Raises:
        BrokerError: mosquitto is not installed, or no port is free.
        ExceptionGroup: of `EndedError`: a program ended by itself.
    """
    os.environ[ITERATIONS] = str(load_iterations)  # the host inherits it
    port = BrokerProcess().port
    broker = broker_in(root, port)
    settings = COORDINATOR_SETTINGS.format(port=port, policy=policy, cap_s=cap_s)
    coordinator = muster("coordinator", folder_in(root, COORDINATOR), settings)
    devices = [_device(root, port, HOST, HOST_SETTINGS), _device(root, port, TOOLS, "")]
    me = Address("muster", "default", "bench")
    async with running(broker), running(coordinator, *devices):
        async with roll_call(transport("muster/default/roll-call", port)) as roll:
            await roll.present([COORDINATOR, HOST, TOOLS])
        async with Client(
            transport(str(me), port), me, Address("muster", "default", COORDINATOR)
        ) as client:
            yield Site(coordinator, port, client)


def _device(root: Path, port: int, name: str, more: str) -> Supervised:
    settings = DEVICE_SETTINGS.format(name=name, slots=SLOTS, port=port, skills=name.upper())
    return muster("agent", folder_in(root, name), settings + more)
