"""Where an MQTT broker is, and who we are there."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from protocol.errors import TransportError
from protocol.settings import Broker, SettingsError
from protocol.transport.memory import QUEUE_LIMIT


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is, who we are there, and the limits of the connection."""

    client_id: str
    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    """Encrypt; the files below imply it."""
    ca_file: Path | None = None
    """Who signed the broker's certificate; None trusts the system's authorities."""
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30
    """The broker publishes the will after 1.5 times this without a sign of us."""
    timeout_s: float = 10.0
    """How long the broker may take to answer anything, before the connection is given up."""
    max_inflight: int = 20
    """How many QoS 1 messages may wait for the broker's word at once."""
    queue_limit: int = QUEUE_LIMIT
    """How many may wait in all, sent or not; beyond it `publish` raises `QueueFullError`."""
    backoff_s: tuple[float, float] = (0.2, 30.0)
    """The first and the longest pause before a new connection; it doubles in between."""

    def __post_init__(self) -> None:
        try:
            self.host.encode("idna")
        except UnicodeError as error:
            raise ValueError(f"{self.host!r} is not a host name") from error
        if not self.host or not 0 < self.port < 2**16:
            raise ValueError(f"{self.address} is not an address of a broker")

    @classmethod
    def read(cls, broker: Broker, client_id: str) -> Self:
        """Take a broker section, and the password from its file.

        Raises:
            SettingsError: the file cannot be read, or the broker cannot be there.
        """
        tls = {"tls": True, **broker.tls.model_dump()} if broker.tls else {}
        password = broker.password()
        try:
            return cls(client_id, broker.host, broker.port, broker.username, password, **tls)
        except ValueError as error:
            raise SettingsError(f"broker.host: {error}") from error

    @property
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.tls or self.ca_file is not None or self.cert_file is not None

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        return f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext:
        """Read the TLS files (from disk: not on the loop).

        Raises:
            TransportError: one of them is missing or unusable; the message names them.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            files = ", ".join(
                str(each)
                for each in (self.ca_file, self.cert_file, self.key_file)
                if each is not None
            )
            raise TransportError(f"cannot use the TLS files {files}: {error}") from error
        return context
