import random
from functools import partial

import pytest

from orchestrator.core.edits import EditBatch
from orchestrator.core.model import Needs
from orchestrator.planner.checks import Goal, Score, Times, score
from tests.orchestrator.planner.checks.plans import CARDS, add, ref, run, task

judged = partial(score, cards=CARDS)
CHAIN = add(task("a"), task("b", args={"x": ref("a")}))


def test_a_sound_plan_is_judged_by_its_chance_and_its_end():
    assert judged(CHAIN) == Score(wrong=0, doubts=0, success=1.0, finish_s=20.0)


def test_time_counts_from_now():
    assert judged(CHAIN, times=Times(now=100.0)).finish_s == 20.0


def test_each_check_that_finds_something_counts_once():
    twice = add(task("a"), task("b"), task("c"))
    assert judged(twice).wrong == 1
    assert judged(twice, times=Times(deadline=5.0), goal=Goal("read /a/b")).wrong == 3


def test_advice_counts_as_doubt():
    assert judged(add(task("a", "unknown"))).doubts == 1


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


def test_plans_are_ordered_by_checks_then_time_until_success_then_doubts():
    plans = [
        Score(0, 0, 1.0, 10.0),
        Score(0, 2, 1.0, 10.0),
        Score(0, 0, 0.9, 10.0),
        Score(0, 0, 1.0, 11.5),
        Score(1, 0, 1.0, 1.0),
        Score(1, 0, 0.0, 1.0),
    ]
    mixed = random.Random(0).sample(plans, len(plans))
    assert sorted(mixed, key=lambda each: each.key) == plans


def test_an_edit_is_judged_by_what_is_left_of_its_run():
    before = run((task("a"), {"state": "succeeded"}))
    assert judged(add(task("b", args={"x": ref("a")})), snapshot=before).finish_s == 10.0


def test_nothing_left_to_do_is_done_now():
    before = run((task("a"), {"state": "succeeded"}), task("b", args={"x": ref("a")}))
    batch = EditBatch(3, (*add().edits,))
    assert judged(batch, snapshot=run((task("a"), {"state": "succeeded"}))).finish_s == 0.0
    assert judged(batch, snapshot=before).finish_s == 10.0
