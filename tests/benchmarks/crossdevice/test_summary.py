import pytest

from benchmarks.crossdevice import page
from benchmarks.crossdevice.summary import figures, share


def row(task="t", **changes):
    return {
        "task": task,
        "category": "log triage",
        "arm": "ours",
        "fault": "none",
        "seed": 0,
        "possible": True,
        "success": True,
        "status": "succeeded",
        "subtasks": 4,
        "done": 4,
        "idle": 1,
        "plan": {"struck": True},
        "wrong": {},
        "latency_s": 2.0,
        "sequential_s": 5.0,
        "critical_path_s": 1.0,
        "least_s": 1.0,
        "tasks": 8,
        "attempts": 8,
        "repeats": 0,
        "width": 2.5,
        "width_max": 4,
        "wasted_s": 0.0,
        "worked_s": 5.0,
        "replans": 0,
        "planner_calls": 1,
        "recovery_s": None,
        "messages": 80,
        "tokens": 0,
        "bytes": 8000,
        "seconds": 3.0,
        "gantt": [["a", "laptop", 0.0, 1.0, True], ["b<", "laptop", 0.5, 2.0, False]],
        **changes,
    }


IMPOSSIBLE = {
    "task": "t", "category": "log triage", "arm": "ours", "fault": "device_lost", "seed": 0,
    "possible": False, "success": False, "status": "impossible", "seconds": 0.0,
}  # fmt: skip


def test_saving_is_a_share_of_what_could_be_saved():
    assert figures([row()])["saving_of_possible"] == pytest.approx(3.0 / 4.0)


def test_tasks_in_which_nothing_can_be_saved_do_not_count_for_the_saving():
    chain = row("chain", sequential_s=5.1, least_s=5.0, latency_s=9.0)
    assert figures([row(), chain])["saving_of_possible"] == pytest.approx(0.75)


def test_impossible_plays_count_as_such_and_for_nothing_else():
    lost = row(fault="device_lost", success=False, done=3, recovery_s=1.5)
    found = figures([row(), lost, IMPOSSIBLE])

    assert found["possible"] == pytest.approx(2 / 3)
    assert found["possible.device_lost"] == pytest.approx(1 / 2)
    assert found["success.device_lost"] == 0.0
    assert found["subtasks.device_lost"] == 0.75
    assert found["recovery_s.device_lost"] == 1.5


def test_fault_that_no_play_could_survive_has_no_figure():
    assert "success.device_lost" not in figures([row(), IMPOSSIBLE])


def test_a_success_that_felt_no_fault_counts_for_nothing_and_a_failure_in_any_case():
    missed = row("u", fault="slow", plan={"struck": False})
    failed = row("v", fault="slow", plan={"struck": False}, success=False)
    assert "success.slow" not in figures([missed])
    found = figures([row(fault="slow"), missed, failed])

    assert found["success.slow"] == pytest.approx(1 / 2)
    assert found["struck.slow"] == pytest.approx(1 / 3)
    assert "struck.none" not in figures([row(plan={"struck": False})])


def test_what_was_done_before_anything_was_is_told():
    assert figures([row(), row("u", idle=4)])["subtasks.idle"] == pytest.approx(5 / 8)


def test_how_long_a_fault_takes_to_play_and_how_many_are_possible_is_said_of_ours():
    found = figures([row(seconds=90.0), row("u", seconds=30.0), row(arm="static"), IMPOSSIBLE])
    assert found["minutes.none"] == 2.0
    assert found["possible"] == pytest.approx(2 / 3)
    assert "possible" not in figures([row(arm="static")])


def test_arms_are_compared_task_by_task_where_both_were_done():
    slow = row(arm="sequential", latency_s=6.0)
    failed = row("other", arm="sequential", latency_s=99.0, success=False)
    quick = row("third", latency_s=0.1, success=False)
    found = figures(
        [row(), row("other"), quick, slow, failed, row("third", arm="sequential", latency_s=8.0)]
    )

    assert found["arm.sequential.latency_ratio"] == pytest.approx(3.0)
    assert found["arm.sequential.success"] == pytest.approx(2 / 3)
    assert found["success.none"] == pytest.approx(2 / 3)


def test_what_stops_while_it_thinks_is_compared_with_what_thinks_as_long():
    stop = row(arm="stop_world", latency_s=6.0)
    found = figures([row(), row(arm="slow_planner", latency_s=3.0), stop])
    assert found["arm.stop_world.latency_ratio"] == pytest.approx(2.0)
    assert found["arm.slow_planner.latency_ratio"] == pytest.approx(1.5)
    assert "arm.stop_world.latency_ratio" not in figures([row(), stop])


def test_nothing_done_has_no_speed():
    assert "width_mean" not in figures([row(success=False)])
    assert figures([])["tasks"] == 0


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(10, 10, 0.72, 1.0), (5, 10, 0.24, 0.76), (0, 0, 0.0, 1.0)]
)
def test_share_has_the_interval_of_wilson(hits, of, low, high):
    _, below, above = share(hits, of)
    assert (below, above) == (pytest.approx(low, abs=0.005), pytest.approx(high, abs=0.005))


def test_plays_of_one_task_are_one_trial():
    few = figures([row(), row("u", success=False)])
    many = figures([row(t, seed=n, success=t == "t") for t in "tu" for n in range(9)])
    for name in ("success.none", "success.none.low", "success.none.high"):
        assert many[name] == pytest.approx(few[name])


def test_dots_of_latency_fill_the_picture():
    shown = page.sections([row(latency_s=4.0, least_s=2.0, sequential_s=99.0)])
    assert 'cx="210.0"' in shown
    assert 'cy="0.0"' in shown


def test_page_shows_arms_faults_categories_and_who_worked_when():
    failed = row("x", fault="slow", success=False, wrong={"s": "<no>"}, bundle="kept/x")
    shown = page.sections([row(), row(arm="static"), failed, IMPOSSIBLE])

    for text in ("<td>static", "<td>slow", "<td>log triage", "<svg", "kept/x", "&lt;no&gt;"):
        assert text in shown
    assert "b&lt; 0.50 to 2.00 s" in shown
    assert page.sections([]) == ""
