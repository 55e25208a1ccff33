"""Processes of a benchmark, each in a folder of its own: mosquitto, coordinators and daemons."""

import sys
from pathlib import Path
from typing import Final

from benchmarks.roll_call import MissingError
from benchmarks.supervisor import EndedError, Supervised
from protocol.errors import TransportError
from protocol.transport.broker import BrokerProcess, find_mosquitto
from protocol.transport.mqtt import MqttSettings, MqttTransport

PAUSE_S: Final = 1.0  # between a kill and the next start
MUSTER: Final = (sys.executable, "-m", "orchestrator")


def broker_in(root: Path, port: int) -> Supervised:
    """Return a mosquitto that listens there.

    Raises:
        BrokerError: it is not installed.
    """
    folder = folder_in(root, "broker")
    config = folder / "mosquitto.conf"
    config.write_text(BrokerProcess(port).configuration(folder), encoding="utf-8")
    return Supervised((find_mosquitto(), "-c", str(config)), log=folder / "log", pause_s=PAUSE_S)


def muster(command: str, folder: Path, settings: str) -> Supervised:
    """Return `muster COMMAND`, with these settings, in a folder."""
    path = folder / "settings.toml"
    path.write_text(settings, encoding="utf-8")
    return Supervised(
        (*MUSTER, command, "--config", str(path)), log=folder / "log", pause_s=PAUSE_S
    )


def folder_in(root: Path, name: str) -> Path:
    """Make a folder."""
    folder = root / name
    folder.mkdir(parents=True)
    return folder


def transport(client_id: str, port: int) -> MqttTransport:
    """Return a connection to the broker there."""
    return MqttTransport(MqttSettings(client_id, port=port))


def cause(error: Exception) -> Exception:
    """Return what is told of a group; what is no expected error is a bug, and raised again."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, (EndedError, MissingError, TransportError)):
        raise error
    return error
