"""The live part, as small as it goes: real processes over mosquitto."""

import pytest

from benchmarks.frame import Figures, Options, Row
from benchmarks.pinning.live import lone_host, part, race, workload
from benchmarks.pinning.live.workload import held_s, requests


@pytest.mark.broker
@pytest.mark.timeout(240)
async def test_both_arms_play_the_same_runs_and_a_lone_device_lets_go_at_the_end_of_its_lease(
    monkeypatch,
):
    monkeypatch.setattr(race, "QUICK_RUNS", 2)
    monkeypatch.setattr(race, "QUICK_TURNS", 2)
    monkeypatch.setattr(race, "QUICK_R_S", 0.4)
    monkeypatch.setattr(workload, "GAPS_S", (0.2, 0.3))
    monkeypatch.setattr(lone_host, "CAP_S", 3.0)
    items = [item async for item in part.measure(Options(quick=True))]
    figures = {k: v for item in items if isinstance(item, Figures) for k, v in item.values.items()}
    assert figures["live.loads_per_turn.none"] == 1.0
    assert figures["live.loads_per_turn.index"] < 1.0
    assert figures["live.held_alone_s"] == pytest.approx(3.0, abs=1.5)
    assert len([item for item in items if isinstance(item, Row)]) == 4


def test_requests_are_the_same_for_the_same_seed_and_the_load_is_as_stated():
    first = requests(3, 400, turns=5, reload_s=2.0)
    assert first == requests(3, 400, turns=5, reload_s=2.0)
    between_s = first[-1].arrival_s / 399
    assert held_s(2.0, 5, pinning=False) / workload.CAPACITY / between_s == pytest.approx(
        0.8, 0.15
    )
    assert held_s(2.0, 5, pinning=True) < 0.7 * held_s(2.0, 5, pinning=False)
