"""`muster agent`: the daemon that makes a device of this machine."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from agents import builtin, config, draining, surroundings
from agents.artifacts import Artifacts
from agents.config import DeviceConfig
from agents.ledger import Durability, LedgerError, SqliteLedger
from agents.runtime import Agent
from agents.skills import Skills
from agents.warm import owned
from agents.warm.adapters import ResourceKind
from protocol import telemetry
from protocol.artifacts import StoreError
from protocol.artifacts.store import Store
from protocol.errors import TransportError
from protocol.settings import SettingsError
from protocol.telemetry import Level
from protocol.topics import Address
from protocol.transport import Transport
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import DeviceCard, DeviceId

app = typer.Typer(no_args_is_help=True)

_CODES: Final[Mapping[type[Exception], int]] = {
    LedgerError: 1,
    StoreError: 1,
    SettingsError: 2,
    TransportError: 3,
}
"""What an owner can mend → exit code, as those of the coordinator's commands."""


@app.command()
def agent(
    config_file: Annotated[
        Path, typer.Option("--config", help="What this device is and allows.")
    ] = Path("device.toml"),
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Read the file, print the skills and what is missing, and stop."
        ),
    ] = False,
    durability: Annotated[
        Durability, typer.Option(help="What a recorded attempt survives.")
    ] = Durability.PROCESS,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="Log JSON lines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log why skills fail.")] = False,
) -> None:
    """Offer this machine's skills to orchestrators, until SIGTERM or SIGINT.

    What has started then has `drain_s` of device.toml to end; a second signal stops it at once.
    """
    with _one_line_errors():
        settings = config.read(config_file)
        with _naming(config_file):
            skills, resources = builtin.load(settings), owned.load(settings)
            if check:
                _look(settings, skills, resources)
            transport = _transport(settings)
        if check:
            return
        ledger = SqliteLedger(settings.device.state / "ledger.db", durability)
        telemetry.configure(json=json_logs, level=Level.DEBUG if debug else Level.INFO)
        try:
            asyncio.run(
                _serve(
                    settings,
                    skills,
                    resources,
                    transport=transport,
                    ledger=ledger,
                    durability=durability,
                )
            )
        finally:
            ledger.close()


def _look(settings: DeviceConfig, skills: Skills, resources: Mapping[str, ResourceKind]) -> None:
    """Print what the device offers.

    Raises:
        SettingsError: something that it needs is not there.
    """
    for name, skill in skills.items():
        typer.echo(f"{name:24} {skill.info.effect:10} {skill.info.description}")
    for kind, each in resources.items():
        typer.echo(f"{kind:24} {'warm':10} {each.capacity:g} at once")
    if missing := list(surroundings.missing(settings)):
        raise SettingsError("; ".join(missing))


async def _serve(
    settings: DeviceConfig,
    skills: Skills,
    resources: Mapping[str, ResourceKind],
    *,
    transport: Transport,
    ledger: SqliteLedger,
    durability: Durability,
) -> None:
    device = settings.device
    card = DeviceCard(
        DeviceId(device.id),
        device.name,
        device.labels,
        slots=device.slots,
        capacity=device.capacity,
        speed=device.speed,
        bandwidth=device.bandwidth,
    )
    stop = asyncio.Event()
    for number in draining.SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        agent = Agent(
            card,
            skills,
            transport=transport,
            ledger=ledger,
            artifacts=await _artifacts(settings, durability, stack),
            resources=resources,
            org=device.org,
            unit=device.unit,
            allows=settings.allows,
            powered=draining.Powered(asyncio.get_running_loop().time),
            clock=_clock(),
        )
        await stack.enter_async_context(agent)
        await stop.wait()
        if device.drain_s:
            await draining.wait(agent.drain(), device.drain_s)


async def _artifacts(
    settings: DeviceConfig, durability: Durability, stack: AsyncExitStack
) -> Artifacts | None:
    """Open the store and serve it, if the owner wants that."""
    section = settings.artifacts
    if section is None:
        return None
    from agents.sharing import sharing  # noqa: PLC0415  a web server and client, for those alone

    store = Store(
        section.folder,
        quota_bytes=section.quota_bytes,
        keep_s=section.keep_s,
        sync=durability is Durability.POWER,
    )
    stack.callback(store.close)
    host, port = section.address
    return await stack.enter_async_context(sharing(store, host, port, url=section.url))


def _transport(settings: DeviceConfig) -> Transport:
    """Connect under the device's address."""
    device = settings.device
    address = Address(device.org, device.unit, device.id)
    return MqttTransport(MqttSettings.read(settings.broker, str(address)))


def _clock() -> Callable[[], float] | None:
    """Return a clock that counts suspended time, where the system has one."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return None if boottime is None else partial(time.clock_gettime, boottime)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say which file is wrong."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Say what is wrong in one line, and end with its exit code."""
    try:
        yield
    except (LedgerError, StoreError, SettingsError, TransportError, ExceptionGroup) as error:
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            (error,) = error.exceptions
        codes = [code for kind, code in _CODES.items() if isinstance(error, kind)]
        if not codes:
            raise
        typer.echo(f"muster agent: {error}", err=True)
        raise typer.Exit(codes[0]) from error
