"""Run the commands that the owner allows: no shell, a bounded output, and nothing left behind.

A command is a process group of its own, and runs until it has ended and its output is closed.
Then, or when it is cancelled or takes too long, the whole group is killed. Of the agent's
environment it sees only what `ENVIRONMENT` names.
"""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from agents.builtin.bounds import Roots, os_errors
from agents.config import Command
from agents.skills import Context, NotAllowedError, PermanentError, Skill, skill
from protocol.types import Effect

ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")  # the rest may hold secrets
STREAM_BYTES = 10_000  # of each stream; as JSON a byte may take three
CHUNK_BYTES = 1 << 16
UNPRINTABLE = {code: "\ufffd" for code in range(32) if chr(code) not in "\n\t"}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command came to; the streams are cut after 10,000 bytes, `truncated` says so."""

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """The skill over what the owner allows."""

    allow: Sequence[Command]
    roots: Roots

    async def run(
        self,
        context: Context,
        command: Annotated[list[str], Field(min_length=1)],
        *,
        cwd: str | None = None,
        limit_s: Annotated[float, Field(gt=0, le=3600)] = 60,
        check: bool = True,
    ) -> Ended:
        """Run an allowed command; an exit code is an error unless it is 0 or `check` is false."""
        self._admit(command)
        folder = None if cwd is None else self.roots.resolve(cwd)
        context.guard()
        try:
            async with asyncio.timeout(limit_s), _started(command, folder) as process:
                ended = await _ended(process)
        except TimeoutError as error:
            raise PermanentError(f"{command[0]}: killed after {limit_s:g} s") from error
        if check and ended.exit_code:
            last = ended.stderr.strip()[-500:]
            raise PermanentError(f"{command[0]}: exit code {ended.exit_code}: {last}")
        return ended

    def _admit(self, command: Sequence[str]) -> None:
        rules = [rule for rule in self.allow if rule.run == command[0]]
        if not rules:
            raise NotAllowedError(f"{command[0]}: the owner allows no such command here")
        if not any(_matches(rule, command[1:]) for rule in rules):
            raise NotAllowedError(f"{command[0]}: the owner does not allow these arguments here")


def skills(allow: Sequence[Command], *, roots: Sequence[Path] = ()) -> Sequence[Skill]:
    """Make the skill; `roots` are the folders a command may be started in."""
    return (skill("shell.run", effect=Effect.ONCE)(Shell(tuple(allow), Roots(roots)).run),)


def _matches(rule: Command, args: Sequence[str]) -> bool:
    return rule.args is None or all(
        any(pattern.fullmatch(arg) for pattern in rule.args) for arg in args
    )


@asynccontextmanager
async def _started(command: Sequence[str], folder: Path | None) -> AsyncIterator[Process]:
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    with os_errors():
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _ended(process: Process) -> Ended:
    assert process.stdout  # noqa: S101  both were asked for
    assert process.stderr  # noqa: S101
    async with asyncio.TaskGroup() as group:
        stdout = group.create_task(_head(process.stdout), name="stdout")
        stderr = group.create_task(_head(process.stderr), name="stderr")
        exit_code = await process.wait()
    (out, out_cut), (err, err_cut) = stdout.result(), stderr.result()
    return Ended(exit_code, out, err, truncated=out_cut or err_cut)


async def _head(stream: asyncio.StreamReader) -> tuple[str, bool]:
    """Read to the end, so that the command is not held up, and keep the beginning."""
    head = bytearray()
    size = 0
    while chunk := await stream.read(CHUNK_BYTES):
        size += len(chunk)
        head += chunk[: STREAM_BYTES - len(head)]
    return head.decode(errors="replace").translate(UNPRINTABLE), size > STREAM_BYTES
