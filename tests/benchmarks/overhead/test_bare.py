import asyncio
import json
import socket
from dataclasses import asdict

import pytest

from benchmarks.overhead import bare_loop as loop
from benchmarks.overhead.bare import bare_loop
from benchmarks.overhead.processes import RoleError

SIZES = {"request_bytes": 900, "reply_bytes": 400}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def port(mosquitto):
    return mosquitto.port


@pytest.mark.broker
async def test_round_trips_are_counted_and_timed(port):
    result = await bare_loop("127.0.0.1", port, devices=2, in_flight=8, seconds=0.3, **SIZES)

    assert result.per_s > 0
    assert 0 < result.p50_ms <= result.p99_ms < 1_000


@pytest.mark.broker
async def test_every_request_is_answered_by_its_device(port):
    settings = {"host": "127.0.0.1", "port": port}
    request = loop.Request(
        **settings,
        topics=("a", "b"),
        reply_topic="replies",
        request_bytes=10,
        in_flight=4,
        seconds=0.2,
    )
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        standing = [asyncio.Event(), asyncio.Event()]
        devices = [
            group.create_task(
                loop.respond(loop.Respond(**settings, topic=t, reply_bytes=5), ready=event.set)
            )
            for t, event in zip(request.topics, standing, strict=True)
        ]
        for event in standing:
            await event.wait()
        result = await loop.request(request)
        for device in devices:
            device.cancel()

    assert result.per_s > 0


async def test_without_a_broker_one_line_says_where_none_is():
    port = free_port()

    with pytest.raises(RoleError, match=rf"bare_loop ended early: 127.0.0.1:{port}: .*$"):
        await bare_loop("127.0.0.1", port, seconds=0.1, **SIZES)


def test_a_role_without_a_broker_exits_with_one_line():
    role = loop.Respond("127.0.0.1", free_port(), topic="t", reply_bytes=1)

    with pytest.raises(SystemExit, match=r"127\.0\.0\.1"):
        loop.main(json.dumps(asdict(role)))
