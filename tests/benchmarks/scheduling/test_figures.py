import math
from array import array
from dataclasses import replace

import pytest

from benchmarks.scheduling.benchmark import GOALS
from benchmarks.scheduling.figures import ALONE, EXACT, LATE, NO_HEDGE, Costs, Outcome, figures
from benchmarks.scheduling.fleets import CLUSTER
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.worlds import OWN


def outcomes(makespans, *, case="sigma0", bound=1.0, more=(), fleet="unrelated"):
    """One outcome for each policy and world; who is not named is as long as HEFT."""
    policies = ["one_plan", LATE, "fifo", *SCHEDULERS, *more]
    return [
        Outcome(policy, case, world[0], world, fleet, found.get(policy, found["heft"]), bound)
        for world, found in makespans.items()
        for policy in policies
    ]


def test_ratios_are_geometric_means_over_worlds():
    worlds = {"a1": {"heft": 2.0, "peft": 4.0}, "b1": {"heft": 8.0, "peft": 4.0}}
    found = figures(outcomes(worlds, bound=2.0))

    assert found["ratio.heft.sigma0"] == pytest.approx(2.0)
    assert found["ratio.peft.sigma0"] == pytest.approx(2.0)


def test_ours_stands_beside_heft_and_beside_the_best_single_scheduler():
    worlds = {
        "a1": {"one_plan": 6.0, "heft": 4.0, "peft": 1.0, "dls": 3.0},
        "b1": {"one_plan": 6.0, "heft": 4.0, "peft": 16.0, "dls": 3.0},
    }
    found = figures(outcomes(worlds))

    assert found["vs_heft.sigma0"] == pytest.approx(1.5)
    assert found["vs_heft.sigma0.low"] == found["vs_heft.sigma0.high"] == pytest.approx(1.5)
    assert found["vs_best_list.sigma0"] == pytest.approx(2.0)  # DLS: PEFT is best in one only


def test_interval_is_that_of_the_means_by_instance():
    """Logs of the means are 1 and -1: deviation √2, over √2 instances, so 1.96 to either side."""
    worlds = {
        "a1": {"one_plan": math.e, "heft": 1.0},
        "a2": {"one_plan": math.e, "heft": 1.0},
        "b1": {"one_plan": 1 / math.e, "heft": 1.0},
        "b2": {"one_plan": 1 / math.e, "heft": 1.0},
    }
    found = figures(outcomes(worlds))

    assert math.log(found["vs_heft.sigma0.low"]) == pytest.approx(-1.96)
    assert math.log(found["vs_heft.sigma0.high"]) == pytest.approx(1.96)


def test_worst_instance_is_that_with_the_largest_mean_over_fifo():
    worlds = {
        "a1": {"one_plan": 3.0, "fifo": 2.0, "heft": 1.0},
        "a2": {"one_plan": 2.0, "fifo": 3.0, "heft": 1.0},
        "b1": {"one_plan": 1.1, "fifo": 1.0, "heft": 1.0},
    }
    assert figures(outcomes(worlds))["worst_vs_fifo"] == pytest.approx(1.1)


def test_what_depends_on_transfers_stands_there_by_how_long_they_take():
    worlds = {"a1": {"one_plan": 3.0, "heft": 4.0}, "b1": {"one_plan": 1.0, "heft": 4.0}}
    hedged = {"a1": {"heft": 3.0, NO_HEDGE: 6.0}, "b1": {"heft": 6.0, NO_HEDGE: 6.0}}
    every = [*outcomes(worlds), *outcomes(hedged, case="stragglers", more=[NO_HEDGE])]
    found = figures([replace(each, ccr=0.1 if each.world == "a1" else 10.0) for each in every])

    assert found["vs_heft.sigma0.ccr0.1"] == pytest.approx(0.75)
    assert found["vs_heft.sigma0.ccr10"] == pytest.approx(0.25)
    assert found["hedge.stragglers.ccr0.1"] == pytest.approx(0.5)
    assert found["hedge.stragglers.ccr10"] == pytest.approx(1.0)


def test_hedging_is_judged_by_stragglers_and_cpsat_where_it_ran():
    worlds = {"a1": {"one_plan": 3.0, "heft": 4.0, NO_HEDGE: 6.0}, "b1": {"heft": 1.0}}
    slow = outcomes(worlds, case="stragglers", more=[NO_HEDGE])
    exact = outcomes({"a1": {"one_plan": 3.0, "heft": 4.0, EXACT: 2.0}}, more=[EXACT])
    found = figures([*outcomes({"b1": {"heft": 9.0}}), *slow, *exact])

    assert found["hedge.stragglers"] == pytest.approx(math.sqrt(0.5))
    assert found["vs_cpsat.sigma0"] == pytest.approx(1.5)
    assert found["ratio.cpsat.sigma0"] == pytest.approx(2.0)


def test_what_nobody_ran_has_no_figure():
    found = figures(outcomes({"a1": {"heft": 2.0}}))
    assert not {"vs_cpsat.sigma0", "hedge.stragglers", "improved.sigma0"} & found.keys()
    assert not any(name.startswith(CLUSTER) for name in found)


def test_what_a_search_beside_the_run_gains_is_ours_over_ours_without():
    worlds = {"a1": {"one_plan": 3.0, "heft": 4.0, ALONE: 6.0}}
    assert figures(outcomes(worlds, more=[ALONE]))["improved.sigma0"] == pytest.approx(0.5)


def test_figures_of_clusters_have_a_prefix_and_goals_leave_them_out():
    ours = outcomes({"a1": {"one_plan": 3.0, "heft": 4.0}})
    theirs = outcomes({"a2": {"one_plan": 8.0, "heft": 4.0}}, fleet=CLUSTER)
    found, alone = figures([*ours, *theirs]), figures(ours)

    assert found["vs_heft.sigma0"] == pytest.approx(0.75)
    assert found[f"{CLUSTER}.vs_heft.sigma0"] == pytest.approx(2.0)
    assert found[f"{CLUSTER}.worst_vs_fifo"] == pytest.approx(2.0)
    assert {name: found[name] for name in alone} == alone
    assert found.keys() == alone.keys() | {f"{CLUSTER}.{name}" for name in alone}
    assert not any(name.startswith(CLUSTER) for name in GOALS)


def test_of_clusters_alone_there_are_only_figures_of_clusters():
    found = figures(outcomes({"a1": {"heft": 4.0}}, fleet=CLUSTER))
    assert found
    assert all(name.startswith(f"{CLUSTER}.") for name in found)


def test_a_fleet_that_an_instance_comes_with_is_no_cluster():
    found = figures(outcomes({"a1": {"heft": 4.0}}, fleet=OWN))
    assert found["ratio.heft.sigma0"] == pytest.approx(4.0)


def test_costs_are_means_over_tasks_and_a_quantile_of_decisions():
    costs = Costs()
    costs.add(Costs(60, 30.0, array("d", [0.5] * 99), 50.0))
    costs.add(Costs(40, 10.0, array("d", [9.0] * 2), 20.0))
    found = costs.figures()

    assert found["decision_ms_mean"] == pytest.approx((49.5 + 18.0) / 100)
    assert found["decision_ms_p99"] == 9.0
    assert found["plan_ms_mean"] == pytest.approx(0.4)
    assert found["improve_cpu_ms"] == pytest.approx(0.7)
