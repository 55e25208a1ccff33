"""All policies on the same runs, and how they are judged."""

import pytest

from benchmarks.pinning import race
from benchmarks.pinning.arms import ARMS, CONTINUUM, HINDSIGHT
from benchmarks.pinning.race import Place, Race, Summary
from benchmarks.pinning.workloads import WORKLOADS


def raced(mean_s, workload="bfcl", load=0.85, seed=0, reload_share=0.5):
    """A race with mean completion times as given, 1 s for who is not named."""
    outcomes = {
        arm: Summary(mean_s.get(arm, 1.0), 2.0, reload_share, 3.0) for arm in (*ARMS, HINDSIGHT)
    }
    return Race(Place(workload, load, seed, 10, 1.0), outcomes)


def everywhere(mean_s, load=None, **where):
    loads = [load] if load else [0.85, 0.95]
    return [raced(mean_s, workload, at, **where) for workload in WORKLOADS for at in loads]


def test_every_arm_runs_in_every_place():
    full_s = race.between_s(WORKLOADS["bfcl"])
    found = race.run(Place("bfcl", 0.95, seed=0, runs=60, full_s=full_s))
    assert set(found.outcomes) == {*ARMS, HINDSIGHT}
    assert found.ratio("no_pin", "clairvoyant") > 1.0
    assert found.outcomes["for_ever"].reload_share == 0.0
    assert found.outcomes["no_pin"].reload_share == 1.0
    assert found.outcomes["index"].p95_s > found.outcomes["index"].mean_s
    assert found.outcomes["no_pin"].held_s > found.outcomes["clairvoyant"].held_s > 0.0
    assert found.outcomes[HINDSIGHT].mean_s <= found.outcomes["fixed_2s"].mean_s


def test_at_capacity_the_best_leases_fill_the_device():
    between_s = race.between_s(WORKLOADS["bfcl"])
    assert 0.5 < between_s < 2.0  # 5 turns of 1.1 s, gaps and reloads, over 8 slots


def test_each_pair_with_each_continuum_counts():
    races = [
        *everywhere({"index": 0.9}),
        *everywhere({"index": 1.02, "continuum_one": 1.0, "continuum_paper": 2.04}, seed=1),
    ]
    found = race.figures(races)
    assert found["paired_wins_share"] == pytest.approx((3 * 3 + 3) / (2 * 3 * 3))
    assert found["worst_ratio_continuum"] == pytest.approx(1.02)
    assert found["ratio.continuum_paper"] == pytest.approx((0.9 * 0.5) ** 0.5)
    assert not any(name.startswith("ratio_over_capacity") for name in found)


def test_a_draw_is_no_win():
    assert race.figures(everywhere({}))["paired_wins_share"] == 0.0


def test_over_capacity_is_told_apart():
    races = [*everywhere({}), *everywhere({"index": 0.5}, load=1.05)]
    found = race.figures(races)
    assert [found[f"ratio_over_capacity.{rival}"] for rival in CONTINUUM] == [0.5] * 3


def test_the_clairvoyant_is_met_up_to_85_percent_at_the_worst_load():
    races = [
        *everywhere({"finer": 1.01}, load=0.6),
        *everywhere({"finer": 1.02}, load=0.85),
        *everywhere({"finer": 1.06}, load=0.85, seed=1),
        *everywhere({"finer": 9.0}, load=0.95),
    ]
    assert race.figures(races)["clairvoyant_ratio.swe"] == pytest.approx(1.04)


def test_reloads_are_those_near_saturation():
    races = [
        *everywhere({}, load=0.85, reload_share=0.1),
        *everywhere({}, load=0.95, reload_share=0.9),
    ]
    assert race.figures(races)["reload_share.lru"] == pytest.approx(0.9)


def test_not_knowing_the_last_use_is_seen_where_it_costs_most():
    races = [*everywhere({}), raced({"index": 2.0, "index_blind": 5.0})]
    assert race.figures(races)["blind_ratio_max"] == 2.5
