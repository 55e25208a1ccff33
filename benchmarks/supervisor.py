"""The smallest supervisor that will do: a program is started again some time after it was killed.

What ends by itself is not started again: that is a fault, and told with its last words. One that
was told to stop with SIGTERM, and did, comes back like a killed one.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

STOP_LIMIT_S: Final = 5.0
LAST_WORDS: Final = 3  # lines
TETHER: Final = ("setpriv", "--pdeathsig", "KILL")  # of util-linux: whom we leave, dies with us
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndedError(Exception):
    """A program ended that should not have; the message has its last words."""


class Supervised:
    """One program, over all of its lives.

    Args:
        command: the program and its arguments.
        log: where its standard error goes, one life after the other.
        pause_s: between a kill and the next start.
        restarting: is called before each start but the first.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        pause_s: float,
        restarting: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = command
        self._log = log
        self._pause_s = pause_s
        self._restarting = restarting
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_stop = False

    @property
    def pid(self) -> int | None:
        """The process of its present life; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> None:
        """Keep the program alive until cancelled, then stop it.

        Raises:
            EndedError: it ended by itself.
        """
        while True:
            self._told_to_stop = False
            with self._log.open("ab") as log:
                self._process = process = await asyncio.create_subprocess_exec(
                    *_tethered(self._command),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=log,
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops us
                )
            try:
                code = await process.wait()
            finally:
                await _stop(process)
            if code != -signal.SIGKILL and (code != 0 or not self._told_to_stop):
                words = self._log.read_text(errors="replace").splitlines()[-LAST_WORDS:]
                raise EndedError(
                    f"{' '.join(self._command)} ended with code {code}: {' / '.join(words)}"
                )
            await asyncio.sleep(self._pause_s)
            self._restarting()

    def kill(self, number: int = signal.SIGKILL, *, pause_s: float | None = None) -> None:
        """Send it a signal, as `kill -9` does; `pause_s` is new for this and the next deaths."""
        if self._process is not None and self._process.returncode is None:
            self._told_to_stop |= number == signal.SIGTERM
            self._pause_s = self._pause_s if pause_s is None else pause_s
            self._process.send_signal(number)

    async def gone(self) -> None:
        """Wait until its present life is over, if it has one."""
        if self._process is not None:
            await self._process.wait()


@asynccontextmanager
async def running(*programs: Supervised) -> AsyncIterator[None]:
    """Keep programs alive for as long as the context lasts; at its end none is left.

    Raises:
        ExceptionGroup: of `EndedError`: one ended by itself.
    """
    async with asyncio.TaskGroup() as group:
        supervisors = [group.create_task(each.run(), name="supervisor") for each in programs]
        try:
            yield
        finally:
            for each in supervisors:
                each.cancel()


def cancel_when_told_to_stop() -> None:
    """Cancel the present task at the first signal; the next ones must not disturb the tidying."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        for number in SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)


def _tethered(command: Sequence[str]) -> Sequence[str]:
    """Let a program end when we are killed ourselves, where the system can; its id is the same."""
    return (*TETHER, *command) if shutil.which(TETHER[0]) else command


def _environment() -> dict[str, str]:
    """Leave out the settings of whoever calls: a program here has its own file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Let it say goodbye, in bounded time."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
