"""The attack itself is seconds of real time: here are its parts, and a short one."""

import pytest

from benchmarks.frame import Figures, Options
from benchmarks.hostile import flood
from protocol.types import TaskId


@pytest.mark.parametrize(
    ("outputs", "is_right"),
    [
        ({TaskId(f"t{n}"): n for n in range(flood.TASKS)}, True),
        ({TaskId(f"t{n}"): n for n in range(flood.TASKS - 1)}, False),
        ({TaskId(f"t{n}"): "forged" for n in range(flood.TASKS)}, False),
        ({}, False),
    ],
)
def test_right_is_what_the_honest_skill_returns(outputs, is_right):
    assert flood.right(outputs) is is_right


@pytest.mark.broker
@pytest.mark.timeout(60)
async def test_honest_devices_go_on_beside_a_client_that_floods_forges_and_replays(monkeypatch):
    monkeypatch.setattr(flood, "QUICK_S", 0.7)
    items = [item async for item in flood.measure(Options(quick=True))]

    (figures,) = [item.values for item in items if isinstance(item, Figures)]
    assert figures["flood.wrong"] == 0
    assert figures["flood.malformed"] > 0
    assert figures["flood.grown_mb"] < 64
