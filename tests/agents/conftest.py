"""What the agent's tests share: a broker in memory."""

import pytest

from protocol.transport.memory import MemoryBroker


@pytest.fixture
def broker():
    return MemoryBroker()
