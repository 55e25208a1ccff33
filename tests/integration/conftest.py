from collections.abc import AsyncIterator

import pytest

from tests.support.mosquitto import Mosquitto


@pytest.fixture
async def broker(installed_mosquitto) -> AsyncIterator[Mosquitto]:
    """A broker of the test's own: it may be killed, and nothing retained is left of others."""
    assert installed_mosquitto
    async with Mosquitto() as broker:
        yield broker
