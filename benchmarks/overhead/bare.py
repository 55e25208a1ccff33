"""The yardstick: how fast a bare request/reply loop is on this machine and this broker."""

import asyncio
import json
import secrets
from contextlib import AsyncExitStack
from dataclasses import asdict

from benchmarks.overhead import bare_loop as loop
from benchmarks.overhead.bare_loop import BareResult, Request, Respond
from benchmarks.overhead.processes import first_line

_START_LIMIT_S = 20.0  # an interpreter that imports aiomqtt takes 0.2 s on an idle machine


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
        RoleError: a process ended early, most likely for want of a broker.
        TimeoutError: a process does not answer.
    """
    prefix = f"bare/{secrets.token_hex(4)}"
    topics = tuple(f"{prefix}/device/{number}" for number in range(devices))
    async with asyncio.timeout(_START_LIMIT_S + seconds), AsyncExitStack() as running:
        for topic in topics:
            await _play(running, Respond(host, port, topic, reply_bytes))
        requester = Request(
            host,
            port,
            topics=topics,
            reply_topic=f"{prefix}/reply",
            request_bytes=request_bytes,
            in_flight=in_flight,
            seconds=seconds,
        )
        result = await _play(running, requester)
    return BareResult(**json.loads(result))


async def _play(running: AsyncExitStack, role: Respond | Request) -> str:
    return await running.enter_async_context(first_line(loop.__name__, asdict(role)))
