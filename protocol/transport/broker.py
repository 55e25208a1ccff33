"""mosquitto as a child process, on a loopback port of its own.

It starts in milliseconds and takes 8 MiB, so a demo, a test or one person's devices each have
their own. It serves whoever reaches the loopback interface, without a password.
"""

import asyncio
import contextlib
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Self, cast

from protocol.errors import TransportError
from protocol.transport.filters import MAX_PACKET_BYTES

SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin")  # often not in a user's PATH
PORTS = range(20_000, 32_000)  # below the ports that systems give to outgoing connections
START_LIMIT_S = 10.0
STOP_LIMIT_S = 5.0
READY = b" running"
LAST_WORDS = 10  # lines

CONFIG = """\
listener {port} {host}
allow_anonymous true
set_tcp_nodelay true
# Devices are bounded by credit; the broker should not drop on top of that.
max_queued_messages 100000
max_inflight_messages 1000
# Nobody reads more at once; a client that sends more is disconnected before it takes memory.
max_packet_size {packet}
# Quiet enough that nobody needs to read it, and the reason of a failed start is in it.
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
connection_messages false
"""


class BrokerError(TransportError):
    """The broker process could not be started; the message says what to do."""


def find_mosquitto() -> str:
    """Return the path of the mosquitto program.

    Raises:
        BrokerError: it is not installed.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), *SEARCHED))
    if (found := shutil.which("mosquitto", path=path)) is None:
        raise BrokerError(
            "mosquitto is not installed; get it with `apt install mosquitto`,"
            " `dnf install mosquitto` or `brew install mosquitto`"
        )
    return found


class BrokerProcess:
    """A mosquitto of one's own: `async with BrokerProcess() as broker: ... broker.port`.

    Args:
        port: where it listens, on the loopback interface; None takes a free one.
        extra: further lines of mosquitto.conf.
        persistence: keep retained messages over `restart`; nothing outlives the context.

    Attributes:
        host: the loopback address.
        port: where it listens, the same after each restart.
    """

    host = "127.0.0.1"

    def __init__(
        self, port: int | None = None, *, extra: Iterable[str] = (), persistence: bool = False
    ) -> None:
        self.port = _free_port(self.host) if port is None else port
        self._extra = tuple(extra)
        self._persistence = persistence
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        """Start it; it accepts connections from now on.

        Raises:
            BrokerError: mosquitto is missing, or ended at once: its last words are in the error.
        """
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mosquitto-")))
            self._config = directory / "mosquitto.conf"
            self._config.write_text(self.configuration(directory))
            await self._start()
            self._directory = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it and forget all it kept."""
        with self._directory:
            await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """Stop it, unless it is dead, and start it again; without persistence it comes empty."""
        await self._end(signal.SIGTERM)
        await self._start()

    async def lost(self) -> None:
        """Wait until it ends without being told to by us; then raise.

        Raises:
            BrokerError: it has ended.
        """
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        raise BrokerError(f"mosquitto on {self.host}:{self.port} has ended; start it again")

    async def kill(self) -> None:
        """End it without a chance to say or save anything; `restart` brings it back."""
        await self._end(signal.SIGKILL)

    def configuration(self, directory: Path) -> str:
        """Return the mosquitto.conf; `directory` is where it may write."""
        lines = [CONFIG.format(port=self.port, host=self.host, packet=MAX_PACKET_BYTES)]
        if os.geteuid() == 0:  # it would become a user who cannot write here
            lines.append("user root")
        if self._persistence:
            lines += ["persistence true", f"persistence_location {directory}/"]
        return "\n".join((*lines, *self._extra, ""))

    async def _start(self) -> None:
        if not _is_free(self.host, self.port):
            raise BrokerError(
                f"port {self.port} of {self.host} is in use, maybe by a broker already;"
                " stop that one or take another port"
            )
        self._process = process = await asyncio.to_thread(_spawn, self._config)
        words = [f"it was not ready within {START_LIMIT_S} s"]
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(START_LIMIT_S):
                    words = await asyncio.to_thread(_until_ready, process)
        finally:
            if words:
                await self._end(signal.SIGKILL)
        if words:
            told = "\n  ".join(words)
            raise BrokerError(f"mosquitto did not start on {self.host}:{self.port}:\n  {told}")

    async def _end(self, signal_number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal_number)
        try:
            await asyncio.to_thread(process.wait, STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _spawn(config: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the program we looked up and a file we wrote
        [find_mosquitto(), "-c", config],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is ours to act on: it must outlive our farewells
    )


def _until_ready(process: subprocess.Popen[bytes]) -> list[str]:
    """Read what it says until it is ready, or return its last words. Later ones are not read."""
    words: deque[str] = deque(maxlen=LAST_WORDS)
    with cast("IO[bytes]", process.stderr) as log:
        for line in log:
            if READY in line:
                return []
            words.append(line.decode(errors="replace").strip())
    return list(words) or ["it said nothing"]


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed a moment ago is free
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _free_port(host: str) -> int:
    """Return a port that nobody listens on now, another one for each caller by chance."""
    for port in random.sample(PORTS, k=min(100, len(PORTS))):
        if _is_free(host, port):
            return port
    raise BrokerError(f"no free port for mosquitto between {PORTS.start} and {PORTS.stop}")
