"""300 whole systems in bad worlds; `make simulate` has 10,000 of them.

What a world is, and who judges it, is in `benchmarks/simulation`. A failing seed is replayed with
`muster simulate --seed N --trace`, and becomes a test in `test_regressions.py`.
"""

from collections import Counter
from functools import cache

import pytest

import orchestrator.snapshots
from benchmarks.simulation.benchmark import ROWS_AT_ONCE
from benchmarks.simulation.coverage import share
from benchmarks.simulation.plans import MIN_TASKS
from benchmarks.simulation.setting import MIN_FAULTS
from benchmarks.simulation.world import live
from protocol import telemetry

WORLDS = 300
TOGETHER = 15


@cache
def world(seed):
    return live(seed)


@pytest.fixture(autouse=True)
def small_snapshots_and_no_log(monkeypatch):
    monkeypatch.setattr(orchestrator.snapshots, "ROWS_AT_ONCE", ROWS_AT_ONCE)
    telemetry.silence()
    yield
    telemetry.quiet()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("first", range(0, WORLDS, TOGETHER))
def test_every_run_ends_and_nothing_is_lost_or_done_twice(first):
    reports = [world(seed) for seed in range(first, first + TOGETHER)]

    assert [(each.seed, each.violation) for each in reports if each.violation] == []
    assert all(sum(each.faults.values()) >= MIN_FAULTS for each in reports)
    assert all(each.tasks >= MIN_TASKS for each in reports)


def test_success_is_demanded_of_most_runs_and_faults_meet_transitions():
    reports = [world(seed) for seed in range(WORLDS)]
    pairs = Counter()
    for each in reports:
        pairs.update(each.pairs)

    assert sum(each.demanded for each in reports) >= 0.5 * sum(each.runs for each in reports)
    assert share(pairs) >= 0.4


def test_same_seed_gives_the_same_world():
    assert live(7) == live(7)
