"""A short campaign, real in every part."""

import pytest

from benchmarks.chaos import workload
from benchmarks.chaos.campaign import open_campaign
from benchmarks.chaos.oracle import figures, violations
from benchmarks.chaos.schedule import Strike, Target, Way

STRIKES = (
    Strike(Target.AGENT, Way.KILL, wait_s=0.2, away_s=0.1, pick=0.5),
    Strike(Target.COORDINATOR, Way.KILL, wait_s=0.3, away_s=0.1, pick=0.0),
    Strike(Target.AGENT, Way.CUT, wait_s=0.2, away_s=0.5, pick=0.9),
    Strike(Target.BROKER, Way.STOP, wait_s=0.1, away_s=0.1, pick=0.0),
)


@pytest.mark.broker
@pytest.mark.timeout(240)
async def test_kills_lose_nothing_double_nothing_and_hang_nothing(
    installed_mosquitto, monkeypatch, tmp_path
):
    assert installed_mosquitto
    monkeypatch.setattr(workload, "LIMITS", {"run_s": 10.0, "unknown_s": 0.5})

    async with open_campaign(tmp_path, seed=1, agents=2) as campaign:
        kills = [await campaign.strike(strike) for strike in STRIKES]
        evidence = await campaign.calm()

    assert violations(evidence) == ()
    assert [kill.victim.partition("-")[0] for kill in kills] == [
        "agent",
        "coordinator",
        "agent",
        "broker",
    ]
    assert sum(bool(kill.held) for kill in kills) >= 3  # work may end right before a kill
    counted = figures(evidence)
    assert counted["runs"] >= 5
    assert counted["recovery_p50_s"] > 0
    assert all(told.complete for told in evidence.told)
