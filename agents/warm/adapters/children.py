"""Child processes: a group of their own, their last words kept, nothing left behind.

The group is killed when a child is given up. Where the system has `setpriv`, the child is killed
as well when the agent itself is (`kill -9`), so that no server outlives the one who counts it.
"""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from agents.skills import PermanentError, TemporaryError

ENVIRONMENT: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")  # the rest may hold secrets
CHUNK_BYTES: Final = 1 << 16
LAST_WORDS_S: Final = 1.0  # of one that was killed
TAIL_BYTES: Final = 1 << 13  # of the output: enough for a line that says what went wrong


class Child:
    """A running child process. Whoever started it reads its output with `ended`."""

    def __init__(self, process: Process) -> None:
        self.pid = process.pid
        self._process = process
        self._tail = bytearray()

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> Self:
        """Start a command, which sees `environment` and what `ENVIRONMENT` names.

        Raises:
            PermanentError: it cannot be started.
        """
        inherited = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        try:
            process = await asyncio.create_subprocess_exec(
                *bound,
                *command,
                cwd=folder,
                env={**inherited, **environment},
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise PermanentError(f"{command[0]} cannot be started: {error}") from error
        return cls(process)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def tail(self) -> str:
        """The end of its output."""
        return self._tail.decode(errors="replace")

    def died(self) -> PermanentError | TemporaryError:
        """Return why it is over; one that was killed may do better another time."""
        code = self._process.returncode
        words = self.tail.strip()[-500:] or "it said nothing"
        if code is not None and code < 0:
            return TemporaryError(f"killed by {signal.Signals(-code).name}: {words}")
        return PermanentError(f"it ended with exit code {code}: {words}")

    async def ended(self, heard: Callable[[str], object] = len) -> int:
        """Wait for its end, and return the exit code; `heard` is called when it said something."""
        assert self._process.stdout  # noqa: S101  it was asked for
        while chunk := await self._process.stdout.read(CHUNK_BYTES):
            self._tail += chunk
            del self._tail[:-TAIL_BYTES]
            heard(self.tail)
        return await self._process.wait()

    async def stop(self, within_s: float = 0.0) -> None:
        """Ask it to end within so many seconds, then kill its group, whoever waits no more."""
        try:
            if within_s:
                self._signal(signal.SIGTERM)
                with suppress(TimeoutError):
                    async with asyncio.timeout(within_s):
                        await self.ended()
        finally:
            self._signal(signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self.ended()  # who left the group may hold its output open

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
