"""The pinning benchmark: the simulated device against arithmetic, and the parts at small sizes."""

import pytest

from benchmarks.cli import CATALOG
from benchmarks.frame import Figures, Options, Row
from benchmarks.pinning import closed_form, estimator, race, sustained, threshold
from benchmarks.pinning.arms import ARMS, HINDSIGHT, Continuum, Formula, fixed
from benchmarks.pinning.benchmark import BENCHMARK, GOALS
from benchmarks.pinning.device import Device
from benchmarks.pinning.workloads import WORKLOADS, Run, Turn, Wait, draw
from orchestrator.core.retention.curve import product_limit
from orchestrator.core.retention.warm_set import Outlook

ASK = Wait(1.0, "ask", "phone", 1.0, 0.0)
RELOAD_S = 10.0


def run(arrival, *turns):
    return Run(arrival, tuple(Turn(work_s, ASK, gap_s) for work_s, gap_s in turns))


def completions(runs, arm, slots=1):
    return Device(runs, arm(RELOAD_S), 1.0, slots).run().completion_s


@pytest.mark.parametrize(
    ("arm", "expected_s"),
    [
        ("no_pin", [10 + 1 + 5 + 10 + 1]),
        ("lru", [10 + 1 + 5 + 1]),
        ("fixed_2s", [10 + 1 + 5 + 1]),  # evictable, but nobody wants the memory
        ("clairvoyant", [10 + 1 + 5 + 1]),
    ],
)
def test_a_run_alone_reloads_only_what_was_dropped(arm, expected_s):
    assert completions([run(0.0, (1.0, 5.0), (1.0, 0.0))], ARMS[arm]) == expected_s


@pytest.mark.parametrize(
    ("ttl_s", "expected_s"),
    [
        (9.0, [17.0, 27.0]),  # it waits until the run before it is done
        (2.0, [35.0, 23.0]),  # it takes the memory at 13 s; the first comes back cold
        (0.0, [33.0, 21.0]),
    ],
)
def test_a_protected_pin_makes_the_next_run_wait(ttl_s, expected_s):
    runs = [run(0.0, (1.0, 5.0), (1.0, 0.0)), run(1.0, (1.0, 0.0))]
    assert completions(runs, fixed(ttl_s)) == expected_s


def test_the_same_seed_draws_the_same_runs():
    workload = WORKLOADS["swe"]
    assert draw(workload, 3, 5) == draw(workload, 3, 9)[:5]
    assert draw(workload, 3, 5) != draw(workload, 4, 5)


def test_the_closed_form_counts_what_is_held():
    workload = WORKLOADS["bfcl"]
    runs = [run(0.0, (2.0, 5.0), (2.0, 1.0), (2.0, 99.0))]
    held = workload.reload_s + 3 * 2.0 + (3.0 + workload.reload_s) + 1.0
    assert closed_form.held_s(workload, runs, lambda _: 3.0) == pytest.approx(held)
    assert closed_form.work_s(runs) == 6.0


def test_the_closed_form_is_what_a_full_device_does():
    form, simulated = sustained.compare(WORKLOADS["bfcl"], 2.0, 0, 600)
    assert simulated == pytest.approx(form, rel=0.03)


def test_continuum_charges_the_whole_lease_and_adds_the_queue():
    outlook = Outlook(product_limit([(1.0, False)] * 10 + [(8.0, False)] * 10), 3.0)
    assert Formula().protect_s(outlook, 0.0) == 1.0
    assert Formula(queueing_s=10.9).protect_s(outlook, 0.0) == 1.0
    assert Formula(queueing_s=11.1).protect_s(outlook, 0.0) == 8.0
    assert Formula(queueing_s=13.0, eta=0.5).protect_s(outlook, 0.0) == 1.0
    assert Formula().protect_s(outlook._replace(reload_s=0.1), 0.0) == 0.0


def test_eta_is_how_far_turns_done_tell_of_turns_left():
    arm = Continuum(1.0, pearson=True)
    arm.ended(run(0.0, (1.0, 1.0)))
    assert arm.formula.eta == 1.0
    for turns in (4, 4, 4):
        arm.ended(run(0.0, *[(1.0, 1.0)] * turns))
    assert arm.formula.eta > 0.7
    arm.waited(3.0)
    arm.waited(5.0)
    assert arm.formula.queueing_s == 4.0


def test_every_arm_runs_in_every_place():
    place = race.Place("bfcl", 0.95, 0)
    found = race.run(place, race.between_s(WORKLOADS["bfcl"]), runs=60)
    assert set(found.outcomes) == {*ARMS, HINDSIGHT}
    work = {len(outcome.work) for outcome in found.outcomes.values()}
    assert len(work) == 1
    assert found.ratio("no_pin", "clairvoyant") > 1.0
    assert found.outcomes["for_ever"].reloads == 0
    assert found.outcomes["index"].p95_s > 0.0


def test_parts_yield_every_figure_that_has_a_goal(monkeypatch):
    sizes = dict.fromkeys(WORKLOADS, 24)
    for module in (race, sustained, threshold):
        monkeypatch.setattr(module, "RUNS", sizes)
    monkeypatch.setattr(race, "CAPACITY_RUNS", 50)
    monkeypatch.setattr(threshold, "GRID", (0.9, 1.0))
    monkeypatch.setattr(threshold, "JUDGED_RUNS", sizes)
    monkeypatch.setattr(estimator, "TIMES", 200)
    options = Options(quick=True, settings={"seeds": 1})
    items = [item for part in BENCHMARK.parts for item in part(options)]
    figures = {name for item in items if isinstance(item, Figures) for name in item.values}
    assert GOALS.keys() <= figures
    assert "threshold_argmin" in figures
    assert {item.values["part"] for item in items if isinstance(item, Row)} == {
        "race",
        "sustained",
        "threshold",
        "threshold_known",
        "threshold_learned",
    }


def test_held_seconds_count_the_lease_or_the_gap_and_the_reload(monkeypatch):
    monkeypatch.setattr(threshold, "GRID", (0.5, 1.0))
    runs = [run(0.0, *[(1.0, 2.0)] * 21)]  # 20 gaps, by ski rental: of 2.4 s, then of 1.2 s
    assert threshold.learned_s(WORKLOADS["bfcl"], runs) == pytest.approx([2.0, 1.2 + 1.2])


def test_it_can_be_asked_for():
    assert CATALOG["pinning"] == "benchmarks.pinning.benchmark"
