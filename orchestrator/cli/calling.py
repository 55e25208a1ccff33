"""What the commands share: options, the connection to the coordinator, errors in one line."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Final, NoReturn, TypeAlias, TypeVar, cast
from uuid import uuid4

import typer
from rich.console import Console

from orchestrator import settings as settings_file
from orchestrator.client import CallFailedError, Client, ClientError, CoordinatorSilentError
from orchestrator.core.errors import InvariantError, OrchestratorError
from orchestrator.planner.playbook import PlaybookError
from orchestrator.settings import Settings
from protocol.artifacts import ArtifactError
from protocol.errors import ProtocolError, TransportError, UnreachableError
from protocol.settings import SettingsError
from protocol.topics import Address
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import FailureKind, Json

WIDE: Final = 10_000  # columns where nobody looks: no line that a program reads is folded
T = TypeVar("T")


class Exit(IntEnum):
    """How a command ended."""

    SUCCEEDED = 0
    FAILED = 1
    """The run failed, or what was asked could not be done."""
    BAD_INPUT = 2
    """The command line, a file or a request makes no sense."""
    UNREACHABLE = 3
    """No broker or no coordinator answers."""
    TIMED_OUT = 124
    """The run goes on, as with timeout(1)."""
    INTERRUPTED = 130


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings; muster.toml where there is one."),
]
BrokerOption: TypeAlias = Annotated[
    str | None, typer.Option("--broker", metavar="HOST[:PORT]", help="Where the MQTT broker is.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]
RunArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or the beginning of it.")
]

_KNOWN: Final = (
    ClientError,
    OrchestratorError,
    ProtocolError,
    SettingsError,
    TransportError,
    ArtifactError,
)
_CODES: Final[tuple[tuple[type[Exception], Exit], ...]] = (
    (TransportError, Exit.UNREACHABLE),
    (CoordinatorSilentError, Exit.UNREACHABLE),
    (SettingsError, Exit.BAD_INPUT),
    (PlaybookError, Exit.BAD_INPUT),
    (ProtocolError, Exit.BAD_INPUT),
    (Exception, Exit.FAILED),
)


def console() -> Console:
    """Return where results go: as wide as the terminal, or wide enough for a program."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=WIDE)


def fail(sentence: str, code: Exit) -> NoReturn:
    """Say what is wrong in one line on the standard error, and end."""
    typer.echo(f"muster: {sentence}", err=True)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Print one JSON document on one line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def read_json(text: str) -> Json:
    """Read what a person typed as JSON.

    Raises:
        typer.BadParameter: it is none.
    """

    def refuse(name: str) -> Json:
        raise ValueError(f"{name} is no number that JSON can say")

    try:
        value: Json = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        hint = 'write, for example, 5, true, [1, 2] or "text" with its quotes'
        raise typer.BadParameter(f"{text!r} is not JSON ({error}): {hint}") from error
    return value


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with one line and an exit code on every error that is not a bug of ours."""
    try:
        yield
    except (*_KNOWN, ExceptionGroup) as error:
        cause: Exception = error
        while isinstance(cause, ExceptionGroup) and len(cause.exceptions) == 1:
            (cause,) = cause.exceptions
        if isinstance(cause, InvariantError) or not isinstance(cause, _KNOWN):
            raise
        fail("; ".join(filter(None, map(str.strip, str(cause).splitlines()))), _code(cause))


def _code(error: Exception) -> Exit:
    if isinstance(error, CallFailedError) and error.kind is FailureKind.BAD_INPUT:
        return Exit.BAD_INPUT
    return next(code for kind, code in _CODES if isinstance(error, kind))


def read_settings(config: Path | None, broker: str | None) -> Settings:
    """Read the settings; --broker wins over file and environment.

    Raises:
        SettingsError: something is wrong, and where.
    """
    environment = dict(os.environ)
    if broker is not None:
        host, _, port = broker.rpartition(":") if ":" in broker else (broker, "", "1883")
        host = host.removeprefix("[").removesuffix("]")  # as IPv6 addresses are written
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise SettingsError(f"--broker {broker!r}: write HOST or HOST:PORT")
        environment |= {"MUSTER_BROKER_HOST": host, "MUSTER_BROKER_PORT": port}
    return settings_file.read(config, environment=environment)


def coordinator_address(settings: Settings) -> Address:
    """Return where the coordinator is, or is to be."""
    section = settings.coordinator
    return Address(section.org, section.unit, section.id)


def transport(settings: Settings, address: Address, *, patient: bool) -> MqttTransport:
    """Return a connection to the broker; a `patient` one waits until it is there.

    Raises:
        SettingsError: the broker's settings make no sense.
    """
    mqtt = MqttSettings.read(settings.broker, str(address))
    return MqttTransport(mqtt, first_connect="retry" if patient else "raise")


@asynccontextmanager
async def calling(config: Path | None, broker: str | None) -> AsyncIterator[Client]:
    """Connect to the coordinator that the settings name.

    Raises:
        SettingsError, TransportError: the settings are wrong, or no broker answers.
    """
    settings = read_settings(config, broker)
    coordinator = coordinator_address(settings)
    name = settings.broker.username or f"cli-{uuid4().hex[:12]}"
    address = Address(coordinator.org, coordinator.unit, name)
    connection = transport(settings, address, patient=False)
    try:
        client = Client(connection, address, coordinator)
        await client.__aenter__()
    except UnreachableError as error:
        raise UnreachableError(
            f"{error}; start one with `muster broker`, or name it with --broker"
        ) from error
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


def ask(config: Path | None, broker: str | None, talk: Callable[[Client], Awaitable[T]]) -> T:
    """Connect, talk to the coordinator, and end with one line on the expected errors."""

    async def talking() -> T:
        async with calling(config, broker) as client:
            return await talk(client)

    with one_line_errors():
        return asyncio.run(talking())


async def every(client: Client, skill: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
    """Call a skill that answers in pages; return the first page with all items in its list."""
    whole = dict(await client.call(skill, args))
    going_on = "after" if skill == "story" else "start"
    (name,) = (key for key, value in whole.items() if isinstance(value, list))
    following = whole.pop("next")
    while following is not None:
        page = await client.call(skill, {**args, going_on: following})
        whole[name] = [*cast("list[Json]", whole[name]), *cast("list[Json]", page[name])]
        following = page["next"]
    return whole
