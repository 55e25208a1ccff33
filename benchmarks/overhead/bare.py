"""The yardstick: how fast a bare request/reply loop is on this machine and this broker."""

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict

from benchmarks.frame import BenchmarkError
from benchmarks.overhead.bare_loop import BareResult, Request, Respond

_START_LIMIT_S = 20.0  # an interpreter that imports aiomqtt takes 0.2 s on an idle machine


class BareLoopError(BenchmarkError):
    """The bare loop could not run; the text is the process's last word."""


async def bare_loop(
    host: str,
    port: int,
    *,
    devices: int = 4,
    in_flight: int = 64,
    seconds: float = 5.0,
    request_bytes: int,
    reply_bytes: int,
) -> BareResult:
    """Measure round trips with `in_flight` under way over `devices`, each a process of its own.

    The requester is a process as well. Take the sizes from what is compared. With one device and
    one in flight, `p50_ms` is the time of a hop and back; with more, it is mostly time in queues.

    Raises:
        BareLoopError: a process ended early, most likely for want of a broker.
        TimeoutError: a process does not answer.
    """
    prefix = f"bare/{secrets.token_hex(4)}"
    topics = tuple(f"{prefix}/device/{number}" for number in range(devices))
    async with asyncio.timeout(_START_LIMIT_S + seconds), AsyncExitStack() as running:
        for topic in topics:
            device = Respond(host, port, topic, reply_bytes)
            await running.enter_async_context(_first_line(device))
        requester = Request(
            host,
            port,
            topics=topics,
            reply_topic=f"{prefix}/reply",
            request_bytes=request_bytes,
            in_flight=in_flight,
            seconds=seconds,
        )
        result = await running.enter_async_context(_first_line(requester))
    return BareResult(**json.loads(result))


@asynccontextmanager
async def _first_line(settings: Respond | Request) -> AsyncIterator[str]:
    """Give the first line that a process playing this role says; end the process on leaving."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.overhead.bare_loop",
        json.dumps(asdict(settings)),
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await process.stdout.readline()
        if not line:
            last_word = (await process.stderr.read()).decode().strip()
            raise BareLoopError(f"the bare loop ended early: {last_word}")
        yield line.decode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
