"""Continuum as its paper has it, and what the other policies know."""

from math import log

import pytest

from benchmarks.pinning.arms import (
    ARMS,
    CONTINUUM,
    Continuum,
    ContinuumPaper,
    Formula,
    Told,
    charged,
)
from benchmarks.pinning.workloads import Turn, Wait
from orchestrator.core.retention.curve import Curve, product_limit
from orchestrator.core.retention.keeping import ByIndex, Outlook
from tests.benchmarks.pinning.builders import ASK, run

TELL = Wait(1.0, "tell", "phone", 1.0, 0.5)


def turn(gap_s, wait=ASK):
    return Turn(1.0, wait, gap_s)


def test_continuum_charges_the_whole_lease_and_adds_the_queue():
    curve = charged(product_limit([(1.0, False)] * 10 + [(8.0, False)] * 10))
    outlook = Outlook(curve, 3.0)
    assert Formula().protect_s(outlook, 0.0) == 1.0
    assert Formula(queueing_s=10.9).protect_s(outlook, 0.0) == 1.0
    assert Formula(queueing_s=11.1).protect_s(outlook, 0.0) == 8.0  # saves 14.1 · 1/2 for 7 s
    assert Formula(queueing_s=13.0, eta=0.5).protect_s(outlook, 0.0) == 1.0
    assert Formula(queueing_s=2.0, eta=-1.0).protect_s(outlook, 0.0) == 0.0
    assert Formula(queueing_s=9.0, eta=-1.0).protect_s(outlook, 0.0) == 0.0
    assert Formula().protect_s(outlook._replace(reload_s=0.1), 0.0) == 0.0


def test_continuum_takes_its_best_over_all_gaps_seen():
    gaps_s = [0.2, 0.5, 0.5, 1.0, 2.0, 3.5, 9.0]
    curve = charged(product_limit([(gap_s, False) for gap_s in gaps_s]))
    for saved_s in (0.5, 1.7, 4.0, 11.0, 60.0):
        worth = {
            lease_s: sum(gap_s <= lease_s for gap_s in gaps_s) / 7 * saved_s - lease_s
            for lease_s in (0.0, *gaps_s)
        }
        lease_s = Formula().protect_s(Outlook(curve, saved_s), 0.0)
        assert worth[lease_s] == pytest.approx(max(worth.values()))


@pytest.mark.parametrize(("reload_s", "lease_s"), [(8.0, log(8.0)), (0.5, 0.0)])
def test_a_cold_continuum_takes_gaps_for_exponential_with_a_mean_of_1_s(reload_s, lease_s):
    formula = Formula(queueing_s=100.0)
    assert formula.protect_s(Outlook(Curve(), reload_s), 0.0) == lease_s


def test_eta_is_1_if_all_runs_are_of_one_length():
    arm = Continuum(1.0, pearson=True)
    arm.ended(run(0.0, (1.0, 1.0)))
    assert arm.formula.eta == 1.0  # one pair: no correlation yet
    arm = Continuum(1.0, pearson=True)
    for _ in range(3):
        arm.ended(run(0.0, *[(1.0, 1.0)] * 4))
    assert arm.formula.eta == pytest.approx(1.0)


def test_eta_is_the_negative_correlation_of_served_and_remaining():
    arm = Continuum(1.0, pearson=True)
    arm.ended(run(0.0, *[(1.0, 1.0)] * 2))  # (1, 1), (2, 0)
    arm.ended(run(0.0, *[(1.0, 1.0)] * 3))  # (1, 2), (2, 1), (3, 0)
    assert arm.formula.eta == pytest.approx(11 / 14)  # means 9/5, 4/5; cov -11/25, var 14/25 each


def test_eta_is_negative_if_going_on_tells_of_more_to_come():
    arm = Continuum(1.0, pearson=True)
    for _ in range(200):
        arm.ended(run(0.0, (1.0, 1.0)))
    arm.ended(run(0.0, *[(1.0, 1.0)] * 20))
    assert arm.formula.eta < 0.0


def test_the_queueing_delay_is_the_mean_of_what_evicted_requests_waited():
    arm = Continuum(1.0)
    arm.waited(3.0)
    arm.waited(5.0)
    arm.ended(run(0.0, (1.0, 1.0), (1.0, 1.0)))
    assert (arm.formula.queueing_s, arm.formula.eta) == (4.0, 1.0)


def test_the_papers_estimator_speaks_from_101_gaps_of_a_tool_or_of_all():
    arm = ContinuumPaper(9.0)
    for _ in range(60):
        arm.learn(turn(1.0))
    for _ in range(40):
        arm.learn(turn(2.0, TELL))
    assert not arm.outlook(turn(0.0)).curve.points
    arm.learn(turn(1.0))
    assert {time_s for _, _, time_s in arm.outlook(turn(0.0)).curve.points} == {1.0, 2.0}
    for _ in range(40):
        arm.learn(turn(1.0))
    assert {time_s for _, _, time_s in arm.outlook(turn(0.0)).curve.points} == {1.0}


def test_the_papers_estimator_draws_its_curve_anew_after_2_percent_more():
    arm = ContinuumPaper(9.0)
    for _ in range(200):
        arm.learn(turn(1.0))
    first = arm.outlook(turn(0.0)).curve
    for _ in range(3):
        arm.learn(turn(5.0))
    assert arm.outlook(turn(0.0)).curve is first
    arm.learn(turn(5.0))
    assert {time_s for _, _, time_s in arm.outlook(turn(0.0)).curve.points} == {1.0, 5.0}


def test_who_is_told_keeps_by_what_it_is_told_and_the_threshold():
    curve = product_limit([(1.0, False)] * 80 + [(10.0, False)] * 20)
    for threshold, lease_s in ((0.5, 10.0), (1.0, 1.0)):
        arm = Told(6.0, ByIndex(), curves={ASK: curve}, threshold=threshold)
        outlook = arm.outlook(turn(0.0))
        assert arm.keeping.protect_s(outlook, 0.0) == lease_s


def test_ours_without_the_last_use_counts_how_many_turns_were_followed():
    blind, sighted = ARMS["index_blind"](9.0), ARMS["index"](9.0)
    for arm in (blind, sighted):
        for number in range(40):
            arm.outlook(turn(1.0))
            if number % 2:
                arm.learn(turn(1.0))
    assert blind.outlook(turn(1.0)).curve.reuse == pytest.approx(20 / 41)
    assert sighted.outlook(turn(1.0)).curve.reuse == 1.0


def test_the_continuums_that_ours_is_judged_against_know_the_last_use():
    assert all(ARMS[name](1.0).knows_last for name in CONTINUUM)
    assert not ARMS["continuum_blind"](1.0).knows_last
    assert not ARMS["index_blind"](1.0).knows_last
