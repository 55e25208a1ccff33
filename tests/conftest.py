"""What all tests share: the loop each of them runs on, and one broker for those that need it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from benchmarks.virtual_clock import VirtualClockLoop
from protocol.transport.broker import BrokerError, BrokerProcess, find_mosquitto
from tests.support.blocking import nothing_blocks

# Hypothesis without its time limit for each example: other work on the machine must fail no test.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


class _MarkedLoop:
    """Makes the loop that the present test asks for by its markers."""

    real = False

    def __call__(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop() if self.real else VirtualClockLoop()


_loop = _MarkedLoop()


def pytest_configure(config):
    config.addinivalue_line("markers", "real_time: runs on a loop with the real clock")


def pytest_asyncio_loop_factories():
    return {"marked": _loop}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    # Not before here are the markers known that belong to one of a test's parameters.
    _loop.real = any(item.get_closest_marker(name) for name in ("broker", "real_time"))


@pytest.fixture(scope="session")
def installed_mosquitto() -> str:
    """Return where mosquitto is; without it the test is skipped, and fails in CI."""
    try:
        return find_mosquitto()
    except BrokerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mosquitto(request) -> Iterator[BrokerProcess]:
    """One broker for the whole session; a test that restarts or kills one starts its own."""
    request.getfixturevalue("installed_mosquitto")
    broker = BrokerProcess()
    with asyncio.Runner() as runner:
        runner.run(broker.__aenter__())
        yield broker
        runner.run(broker.__aexit__())


@pytest.fixture
async def unblocked() -> AsyncIterator[None]:
    """Fail the test if anything in it holds the loop for more than 10 ms."""
    with nothing_blocks():
        yield
