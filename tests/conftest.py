"""What all tests share: the loop each of them runs on, and one broker for those that need it."""

import asyncio
import logging
import os
from collections.abc import Iterator

import pytest

from protocol.transport.broker import BrokerError, BrokerProcess, find_mosquitto
from tests.support.virtual_clock import VirtualClockLoop

BLOCKED_S = 0.01  # nothing blocks the loop for longer than this


class _LoopOfTheTest:
    """Makes the loop that the present test asked for by its markers."""

    real = False

    def __call__(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop() if self.real else VirtualClockLoop()


_loop = _LoopOfTheTest()


def pytest_configure(config):
    config.addinivalue_line("markers", "real_time: runs on a loop with the real clock")


def pytest_asyncio_loop_factories(config, item):
    return {"marked": _loop}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    # Only here are the markers of a test's parameters known as well.
    _loop.real = any(item.get_closest_marker(name) for name in ("broker", "real_time"))


@pytest.fixture(scope="session")
def installed_mosquitto() -> str:
    """Return where mosquitto is; without one the test is skipped, and fails in CI."""
    try:
        return find_mosquitto()
    except BrokerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mosquitto(installed_mosquitto) -> Iterator[BrokerProcess]:
    """One broker for the whole session; whoever restarts or kills one starts their own."""
    broker = BrokerProcess()
    with asyncio.Runner() as runner:
        runner.run(broker.__aenter__())
        yield broker
        runner.run(broker.__aexit__())


@pytest.fixture
async def unblocked(request) -> Iterator[None]:
    """Fail the test if a callback held the loop for more than 10 ms. Needs the real clock."""
    slow: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record):
            slow.append(record.getMessage())

    loop, logger, collect = asyncio.get_running_loop(), logging.getLogger("asyncio"), Collect()
    assert _loop.real, "mark the test real_time or broker: virtual time does not see blocking"
    loop.set_debug(True)
    loop.slow_callback_duration = BLOCKED_S
    logger.addHandler(collect)
    yield
    logger.removeHandler(collect)
    loop.set_debug(False)
    assert not slow, f"{request.node.name} blocked the loop"
