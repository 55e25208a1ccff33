"""Talks to a peer's process; nothing of it is left in the end."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from benchmarks.overhead.peers import role
from benchmarks.overhead.processes import RoleError

START_LIMIT_S: Final = 120.0  # a busy machine; Ray takes ten seconds on an idle one
RUN_LIMIT_S: Final = 300.0
STOP_LIMIT_S: Final = 30.0
LAST_WORDS: Final = 3  # lines

Run: TypeAlias = Callable[[str, int], Awaitable[float]]
"""Runs so many tasks in this shape and gives the seconds."""


@asynccontextmanager
async def session(peer: str, *, redis: bool = False) -> AsyncIterator[Run]:
    """Start a peer, `module:function`, in a process group of its own.

    Raises:
        RoleError: it ended, gave no answer in time or a wrong sum; with its last words.
    """
    with TemporaryDirectory(prefix="muster-bench-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        own = Path(folder) / "own"
        own.mkdir()
        settings = json.dumps({"peer": peer, "redis": redis, "folder": str(own)})
        with log.open("wb") as words:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", role.__name__, settings),
                stdin=PIPE,
                stdout=PIPE,
                stderr=words,
                start_new_session=True,
            )

        async def run(shape: str, tasks: int) -> float:
            assert process.stdin is not None
            process.stdin.write(json.dumps([shape, tasks]).encode() + b"\n")
            return float(await _answer(process, log, RUN_LIMIT_S))

        try:
            await _answer(process, log, START_LIMIT_S)
            yield run
        finally:
            await _end(process)


async def _answer(process: Process, log: Path, limit_s: float) -> str:
    assert process.stdout is not None
    reason = "ended early"
    try:
        async with asyncio.timeout(limit_s):
            if line := await process.stdout.readline():
                return line.decode()
            await process.wait()  # its last words come after its output is closed
    except TimeoutError:
        reason = f"gave no answer within {limit_s:g} s"
    words = await asyncio.to_thread(log.read_text, errors="replace")
    raise RoleError(f"{reason}: {' / '.join(words.strip().splitlines()[-LAST_WORDS:])}")


async def _end(process: Process) -> None:
    """Let it stop its workers; then end what is left of its group."""
    assert process.stdin is not None
    process.stdin.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
