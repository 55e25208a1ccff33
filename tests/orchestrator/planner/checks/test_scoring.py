import math
import random
from functools import partial

import pytest

from orchestrator.core.edits import EditBatch
from orchestrator.core.model import Needs
from orchestrator.planner.checks import Goal, Score, Times, score
from orchestrator.planner.checks.scoring import HOPE
from tests.orchestrator.planner.checks.plans import CARDS, add, ref, run, task

judged = partial(score, cards=CARDS)
CHAIN = add(task("a"), task("b", args={"x": ref("a")}))


def test_a_sound_plan_is_judged_by_its_chance_and_its_end():
    found = judged(CHAIN)
    assert (found.wrong, found.doubts) == (0, 0)
    assert found.success == pytest.approx(HOPE**2)
    assert found.finish_s == found.work_s == pytest.approx(20.0 / HOPE)


def test_time_counts_from_now():
    assert judged(CHAIN, times=Times(now=100.0)).finish_s == pytest.approx(20.0 / HOPE)


def test_each_check_that_finds_something_counts_once():
    twice = add(task("a"), task("b"), task("c"))
    assert judged(twice).wrong == 1
    assert judged(twice, times=Times(deadline=5.0), goal=Goal("read /a/b")).wrong == 3


def test_advice_counts_as_doubt():
    found = judged(add(task("a", "unknown")))
    assert (found.doubts, found.waiting) == (1, 1)


@pytest.mark.parametrize(
    "batch", [EditBatch(0, ()), add(task("a"), task("b", "send"), edges=[("a", "b"), ("b", "a")])]
)
def test_what_is_no_plan_never_ends(batch):
    found = judged(batch)
    assert (found.success, found.finish_s) == (0.0, float("inf"))
    assert found.key > judged(CHAIN).key


def test_what_failed_before_is_less_likely_to_succeed():
    history = {("look", "nas"): (6, 6), ("look", "pi"): (0, 6)}
    on = {
        name: judged(add(task("a", needs=Needs(name))), history=history) for name in ("nas", "pi")
    }
    assert on["nas"].success > 0.7
    assert on["pi"].success < 0.4
    assert on["nas"].key < on["pi"].key


def test_little_history_is_shrunk_to_that_of_the_skill_and_that_to_all():
    history = {("look", "nas"): (0, 100), ("send", "nas"): (100, 100)}
    on_pi = {
        skill: judged(add(task("a", skill, needs=Needs("pi"))), history=history).success
        for skill in ("look", "send")
    }
    assert on_pi["look"] < 0.05
    assert on_pi["send"] > 0.95
    unknown = judged(add(task("a", "write")), history=history).success
    assert 0.45 < unknown < 0.55


def test_each_task_must_succeed():
    history = {("look", "nas"): (2, 4), ("look", "pi"): (2, 4)}
    one, two = judged(add(task("a")), history=history), judged(CHAIN, history=history)
    assert two.success == pytest.approx(one.success**2)


def test_plans_are_ordered_by_checks_then_waiting_then_finish_then_doubts_then_work():
    plans = [
        Score(0, 0, 0.5, 10.0, 10.0),
        Score(0, 0, 1.0, 10.0, 20.0),
        Score(0, 2, 1.0, 10.0, 1.0),
        Score(0, 0, 1.0, 11.5, 1.0),
        Score(0, 0, 1.0, 1.0, 1.0, waiting=1),
        Score(1, 0, 1.0, 1.0, 1.0),
        Score(1, 0, 0.0, 2.0, 1.0),
    ]
    mixed = random.Random(0).sample(plans, len(plans))
    assert sorted(mixed, key=lambda each: each.key) == plans


def test_a_plan_goes_around_a_device_where_its_skill_fails():
    history = {("look", "nas"): (0, 40), ("look", "pi"): (40, 40)}
    quick_and_bad = Times(seconds={("look", "nas"): 5.0, ("look", "pi"): 10.0})
    found = judged(add(task("a")), history=history, times=quick_and_bad)
    assert found.finish_s == pytest.approx(10.0 / found.success)
    assert found.success > 0.9


def test_what_fails_half_of_the_time_takes_twice_as_long():
    history = {("look", "nas"): (5_000, 10_000), ("look", "pi"): (5_000, 10_000)}
    assert judged(CHAIN, history=history).finish_s == pytest.approx(40.0, rel=0.01)


def test_more_work_in_the_same_time_is_worse():
    both = add(task("a", needs=Needs("nas")), task("b", args={"x": 1}, needs=Needs("pi")))
    one = add(task("a", needs=Needs("nas")))
    assert judged(both).finish_s == judged(one).finish_s
    assert judged(both).key > judged(one).key


def test_what_is_never_done_has_no_end():
    away = Times(away={"nas": ((0.0, math.inf),)})
    found = judged(add(task("a", "write")), times=away)
    assert found.finish_s == math.inf
    assert not math.isnan(found.work_s)
    assert found.wrong


def test_an_edit_is_judged_by_what_is_left_of_its_run():
    before = run((task("a"), {"state": "succeeded"}))
    assert judged(add(task("b", args={"x": ref("a")})), snapshot=before).finish_s == pytest.approx(
        10.0 / HOPE
    )


def test_nothing_left_to_do_is_done_now():
    before = run((task("a"), {"state": "succeeded"}), task("b", args={"x": ref("a")}))
    batch = EditBatch(3, (*add().edits,))
    assert judged(batch, snapshot=run((task("a"), {"state": "succeeded"}))).finish_s == 0.0
    assert judged(batch, snapshot=before).finish_s == pytest.approx(10.0 / HOPE)
