from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from orchestrator.core.edits import CancelTask, EditBatch
from orchestrator.core.model import ForEach, Limits, Needs, On
from orchestrator.planner.checks import Times, check
from orchestrator.planner.checks.feasible import feasible
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.schedule import schedule
from orchestrator.planner.checks.work import NO_TIMES, Work
from protocol.types import DeviceCard, ResourceNeed, SkillInfo
from tests.orchestrator.planner.checks.plans import CARDS, NAS, add, judge, ref, run, task

wrong = partial(judge, feasible)
SEVERAL = add(*(task(f"t{n}", args={"n": n}) for n in range(4)))  # 10 s each, nas and pi


def details(batch, times, cards=CARDS):
    return [each.detail for each in check(batch, cards, times=times)]


def finish(batch, *, times=NO_TIMES, snapshot=None, cards=CARDS):
    work = Work(Plan.of(batch, snapshot), Fleet(cards), times)
    return schedule(work.problem()).finish


@pytest.mark.parametrize(
    ("deadline", "found"),
    [(20.0, []), (19.0, [("deadline", "t2")]), (9.0, [("deadline", "t2")])],
)
def test_a_plan_that_misses_the_deadline_of_its_run_is_refused(deadline, found):
    assert wrong(SEVERAL, Times(deadline=deadline)) == found


def test_who_misses_by_how_much_and_what_helps_is_said():
    assert details(SEVERAL, Times(now=100.0, deadline=119.0)) == [
        (
            "task 't2' would end 1 s after the run's deadline, which is 19 s from now; 'nas' does"
            " 1 before it: spread the work, or allow 1 s more"
        )
    ]
    chain = add(task("a"), task("b", args={"x": ref("a")}))
    assert details(chain, Times(deadline=15.0)) == [
        (
            "task 'b' would end 5 s after the run's deadline, which is 15 s from now; even on idle"
            " devices a → b takes too long: shorten that, or allow 5 s more"
        )
    ]
    arm = Times(deadline=19.0, exclusive={f"t{n}": ("arm",) for n in range(4)})
    assert "it waits its turn for arm: share less, or allow 21 s more" in details(SEVERAL, arm)[0]


def test_a_long_chain_is_cut_short_in_the_middle():
    names = "abcdefg"
    chain = add(*(task(n, args={"n": n}) for n in names), edges=pairwise(names))
    [detail] = details(chain, Times(deadline=15.0))
    assert "a → … → e → f → g" in detail


def test_only_the_first_of_a_chain_that_misses_its_windows_is_named():
    plan = add(task("a"), task("b", args={"x": ref("a")}), task("c", args={"n": 1}))
    windows = {"a": (0.0, 9.0), "b": (0.0, 15.0), "c": (0.0, 10.0)}
    assert wrong(plan, Times(windows=windows)) == [("window", "a")]
    assert "1 s after the end of its window" in details(plan, Times(windows=windows))[0]


def test_a_window_delays_a_task_and_all_that_follows():
    plan = add(task("a"), task("b", args={"x": ref("a")}))
    assert finish(plan, times=Times(windows={"a": (5.0, 99.0)})) == 25.0
    assert wrong(plan, Times(windows={"a": (5.0, 99.0)}, deadline=24.0)) == [("deadline", "b")]


def test_a_task_waits_for_a_device_that_is_away():
    plan = add(task("a", needs=Needs("nas")))
    away = {"nas": [(5.0, 30.0)]}
    assert finish(plan, times=Times(away=away)) == 40.0
    assert wrong(plan, Times(away=away, deadline=39.0)) == [("deadline", "a")]


def test_a_device_that_is_never_there_for_long_enough_is_downtime():
    plan = add(task("a", needs=Needs("nas")), task("b", args={"x": ref("a")}))
    times = Times(away={"nas": [(5.0, float("inf"))]})
    assert wrong(plan, times) == [("downtime", "a")]
    assert details(plan, times) == [
        (
            "task 'a': no device that can run it is there for as long as it takes: allow other"
            " devices, or split it"
        )
    ]
    assert wrong(add(task("a")), times) == []


def test_exclusive_resources_and_capacity_hold_back():
    assert finish(SEVERAL, times=Times(exclusive={f"t{n}": ("arm",) for n in range(4)})) == 40.0
    gpu = replace(NAS, slots=4, capacity={"gpu": 2.0})
    for keys, finished in (("abcd", 20.0), ("aabb", 10.0), ("aabc", 20.0), ("aaaa", 10.0)):
        plan = add(
            *(
                task(
                    f"t{n}", args={"n": n}, needs=Needs(resources=(ResourceNeed("gpu", key, 1.0),))
                )
                for n, key in enumerate(keys)
            )
        )
        assert finish(plan, cards=(gpu,)) == finished, f"{keys}: equal keys are loaded once"


@pytest.mark.parametrize(
    ("spec", "seconds", "takes_s"),
    [
        (task("a"), {}, 5.0),
        (task("a", estimate_s=4.0), {}, 2.0),
        (task("a", estimate_s=0.0), {}, 0.0),
        (task("a", estimate_s=-5.0), {}, 0.0),
        (task("a", "unknown", estimate_s=-5.0), {}, 0.0),
        (task("a"), {("look", "quick"): 7.0}, 7.0),
        (task("a", "bare"), {}, 0.5),
        (task("a", "unknown"), {}, 1.0),
        (task("a", "unknown", estimate_s=3.0), {}, 3.0),
    ],
)
def test_a_task_takes_what_was_learned_stated_or_declared(spec, seconds, takes_s):
    quick = DeviceCard("quick", skills=(*NAS.skills, SkillInfo("bare")), speed=2.0)
    assert finish(add(spec), times=Times(seconds=seconds), cards=(quick,)) == takes_s


def test_a_limit_below_the_estimate_is_refused_whatever_the_deadline():
    short = task("a", limits=Limits(run_s=9.0))
    assert wrong(add(short)) == [("limit", "a")]
    assert (
        "takes 10 s where it is quickest, but may run for 9 s" in details(add(short), Times())[0]
    )
    assert wrong(add(task("a", limits=Limits(run_s=10.0)))) == []


def test_devices_too_slow_for_the_limit_are_not_counted_on():
    slow = DeviceCard("slow", skills=NAS.skills, speed=0.5)
    plan = add(*(task(f"t{n}", args={"n": n}, limits=Limits(run_s=10.0)) for n in range(3)))
    assert finish(plan, cards=(slow, NAS)) == 30.0


def test_a_loop_over_devices_is_work_for_each_and_one_over_items_for_one():
    each = task("a", "send", for_each=ForEach())
    assert finish(add(each, task("b", args={"x": ref("a")})), cards=(NAS,)) == 20.0
    over_all = Work(Plan.of(add(each)), Fleet(CARDS), Times()).problem()
    assert [a.durations for a in over_all.activities] == [((0, 10.0),), ((1, 10.0),)]
    items = task("b", for_each=ForEach(ref("a")), args={"i": {"$item": []}})
    assert finish(add(task("a"), items)) == 20.0


def test_what_waits_for_a_failure_is_not_expected():
    plan = add(
        task("a"),
        task("mend", "send"),
        task("tell", "send", args={"x": ref("mend")}),
        task("last", "send"),
        edges=[("a", "mend", On.FAILURE), ("tell", "last", On.COMPLETION)],
    )
    assert finish(plan) == 10.0


def test_what_the_plan_itself_cancels_is_not_expected():
    plan = add(task("a"), task("b", args={"x": ref("a")}))
    assert finish(EditBatch(0, (*plan.edits, CancelTask("b")))) == 10.0
    assert finish(plan) == 20.0


def test_tasks_of_one_skill_may_differ_in_length_limit_and_place():
    quick = replace(NAS, device="quick", speed=2.0)
    specs = [
        task("a", estimate_s=4.0),
        task("b", estimate_s=6.0),
        task("c", estimate_s=4.0, limits=Limits(run_s=3.0)),
        task("d", estimate_s=4.0, needs=Needs("nas")),
    ]
    problem = Work(Plan.of(add(*specs)), Fleet((NAS, quick)), NO_TIMES).problem()
    assert [each.durations for each in problem.activities] == [
        ((1, 2.0), (0, 4.0)),
        ((1, 3.0), (0, 6.0)),
        ((1, 2.0),),
        ((0, 4.0),),
    ]


def test_of_a_run_only_what_is_left_is_counted():
    a, b = task("a"), task("b", args={"x": ref("a")})
    more = add(task("c", args={"x": ref("b")}))
    assert finish(more, snapshot=run(a, b)) == 30.0
    assert finish(more, snapshot=run((a, {"state": "succeeded"}), b)) == 20.0
    assert finish(more, snapshot=run((a, {"state": "failed"}), b)) == float("-inf")
    cancelled = EditBatch(3, (*more.edits, CancelTask("b")))
    assert finish(cancelled, snapshot=run(a, b)) == 10.0


def test_what_failed_lets_go_what_waited_for_that():
    mend = task("mend", "send")
    edges = [("a", "mend", On.FAILURE)]
    for state, end in (("active", 10.0), ("failed", 10.0), ("succeeded", 0.0)):
        before = run((task("a"), {"state": state}), mend, edges=edges)
        assert max(0.0, finish(add(), snapshot=before)) == end


def test_what_is_new_waits_for_what_runs_whatever_its_window():
    there = run((task("a", needs=Needs("nas")), {"state": "active", "device": "nas"}))
    new = add(task("b", args={"x": 1}, needs=Needs("nas")))
    assert wrong(new, Times(windows={"b": (0.0, 20.0)}), snapshot=there) == []
    assert wrong(new, Times(windows={"b": (0.0, 19.0)}), snapshot=there) == [("window", "b")]


def test_what_runs_stays_on_its_device_though_another_is_quicker():
    quick = DeviceCard("quick", skills=NAS.skills, speed=10.0)
    there = run((task("a"), {"state": "active", "device": "nas"}))
    assert finish(add(task("b", "send")), snapshot=there, cards=(quick, NAS)) == 10.0
    gone = run((task("a"), {"state": "active", "device": "gone"}))
    assert finish(add(task("b", "send")), snapshot=gone, cards=(quick, NAS)) == 2.0
    other = run((task("a", "write"), {"state": "active", "device": "pi"}))
    assert finish(add(task("b", args={"x": ref("a")})), snapshot=other) == 20.0


def test_a_loop_that_was_expanded_is_as_long_as_its_parts():
    each = task("a", "send", for_each=ForEach())
    parts = [
        (task(f"a[{name}]", "send", needs=Needs(name)), {"parent": "a", "state": state})
        for name, state in (("nas", "succeeded"), ("pi", "active"))
    ]
    before = run((each, {"state": "active"}), *parts)
    assert finish(add(task("b", args={"x": ref("a")})), snapshot=before) == 20.0
    parts[1][1]["state"] = "succeeded"
    assert finish(add(task("b", args={"x": ref("a")})), snapshot=run((each, {}), *parts)) == 10.0


def test_a_plan_with_a_cycle_is_not_scheduled():
    plan = add(task("a"), task("b", "send"), task("c"), edges=[("a", "b"), ("b", "a")])
    found = check(plan, CARDS, times=Times(deadline=1.0))
    assert [each.rule for each in found] == ["cycle"]
