"""Roles that are played by processes of their own, so that each has an interpreter to itself.

A role is a module with a `main` that takes its settings as JSON and says one line: that it is
ready, or what it measured.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from benchmarks.frame import BenchmarkError
from protocol.transport.broker import BrokerError, BrokerProcess
from protocol.types import Json


class RoleError(BenchmarkError):
    """A process ended early; the text is its last word."""


@asynccontextmanager
async def own_broker() -> AsyncIterator[BrokerProcess]:
    """Run a mosquitto for one measurement.

    Raises:
        BenchmarkError: there is none here.
    """
    async with AsyncExitStack() as running:
        try:
            broker = await running.enter_async_context(BrokerProcess())
        except BrokerError as error:
            raise BenchmarkError(str(error)) from error
        yield broker


@asynccontextmanager
async def first_line(module: str, settings: Mapping[str, Json]) -> AsyncIterator[str]:
    """Give the first line that a process playing this role says; end the process on leaving.

    Raises:
        RoleError: it ended without a line.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, json.dumps(settings), stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await process.stdout.readline()
        if not line:
            last_word = (await process.stderr.read()).decode().strip()
            raise RoleError(f"{module} ended early: {last_word}")
        yield line.decode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def say(line: str) -> None:
    """Say the line that `first_line` waits for."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
