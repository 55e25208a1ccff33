import pytest

from benchmarks.crossdevice.bounds import bounds, eligible
from benchmarks.crossdevice.hardware import LOAD_S
from benchmarks.crossdevice.metrics import measure
from benchmarks.crossdevice.trace import read
from tests.benchmarks.crossdevice.events import add, attempt, event, in_order, plan


def diamond():
    """Two calls of 0.3 s side by side on the fast server, and one after both on the slow one."""
    return read(
        in_order(
            event(0.0, "RunSubmitted"),
            event(0.0, "PlanAsked", ask="p"),
            plan(add("a"), add("b"), add("c", after=("a", "b"), device="server-2")),
            *attempt("a", 0.1, 0.4),
            *attempt("b", 0.1, 0.4),
            *attempt("c", 0.4, 1.0, device="server-2"),
            event(1.0, "RunEnded", status="succeeded"),
        )
    )


def test_bounds_take_each_call_on_its_fastest_device_that_may():
    limits = bounds(diamond())

    assert limits.sequential == pytest.approx(0.3 + 0.3 + 0.6)
    assert limits.critical_path == pytest.approx(0.3 + 0.6)
    assert limits.least == limits.critical_path


def test_area_lies_between_what_comes_before_and_after():
    cells = [f"t{n}" for n in range(8)]
    tasks = [add(name, after=("a",), device="edge-1") for name in cells]
    runs = [each for name in cells for each in attempt(name, 1.0, 2.2, device="edge-1")]
    trace = read(
        in_order(
            plan(add("a", device="laptop"), *tasks, add("z", after=cells, device="laptop")),
            *attempt("a", 0.0, 0.6, device="laptop"),
            *runs,
            *attempt("z", 3.0, 3.6, device="laptop"),
        )
    )

    assert bounds(trace).area == pytest.approx(0.6 + 8 * 0.6 / (2 * 0.5) + 0.6)


def test_real_work_of_a_call_takes_as_long_everywhere():
    events = (plan(add("a")), *attempt("a", 0.0, 2.0, device="edge-1"))

    assert bounds(read(events)).sequential == pytest.approx(0.6 / 2.0 + (2.0 - 0.6 / 0.5))


def test_waiting_for_the_cores_of_one_machine_is_no_work_that_one_by_one_would_do():
    names = [f"t{n}" for n in range(8)]
    runs = [each for n, name in enumerate(names) for each in attempt(name, 0.0, 0.3 + 0.1 * n)]
    other = attempt("x", 0.0, 0.9, device="laptop")  # of another skill: 0.1 s there
    trace = read(in_order(plan(*map(add, names), add("x", skill="text.grep")), *runs, *other))

    limits = bounds(trace)
    assert limits.sequential == pytest.approx(8 * 0.3 + 0.05 + 0.8)
    assert limits.least <= trace.seconds


def test_attempts_that_failed_are_in_no_bound():
    failed = attempt("a", 0.0, 0.3, fact="AttemptFailed", name="x")
    limits = bounds(read((plan(add("a")), *failed, *attempt("a", 0.4, 0.7))))
    assert limits.sequential == limits.least == pytest.approx(0.3)


def test_area_bound_is_that_of_the_only_device_that_may():
    names = [f"t{n}" for n in range(6)]
    tasks = [add(name, device="edge-1") for name in names]
    runs = [
        each for n, name in enumerate(names) for each in attempt(name, n, n + 1.2, device="edge-1")
    ]

    limits = bounds(read(in_order(plan(*tasks), *runs)))

    assert limits.area == pytest.approx(6 * 0.6 / (2 * 0.5))
    assert limits.least == limits.area > limits.critical_path


def test_a_model_is_loaded_once_and_before_the_first_call_that_needs_it():
    trace = read(
        in_order(
            plan(
                add("a", model="m"), add("b", model="m"), add("c", after=("a",), model="m"),
                add("d", after=("c",), model="n"),
            ),
            *(each for n, task in enumerate("abcd") for each in attempt(task, n, n + 0.3)),
        )
    )  # fmt: skip

    limits = bounds(trace)

    assert limits.critical_path == pytest.approx(3 * 0.3 + 2 * LOAD_S)
    assert limits.sequential == pytest.approx(4 * 0.3 + 2 * LOAD_S)


def test_tasks_after_a_join_wait_for_all_its_children():
    children = [add(f"each[{n}]")["task"] for n in range(3)]
    trace = read(
        in_order(
            plan(
                add("list"), add("each", after=("list",), each=True), add("end", after=("each",))
            ),
            *attempt("list", 0.0, 0.3),
            event(0.35, "TaskExpanded", task="each", children=children),
            *(each for n in range(3) for each in attempt(f"each[{n}]", 0.4, 0.7)),
            *attempt("end", 0.8, 1.1),
        )
    )

    assert list(trace.predecessors("end")) == ["each[0]", "each[1]", "each[2]"]
    assert list(trace.predecessors("each[1]")) == ["list"]
    assert bounds(trace).critical_path == pytest.approx(0.9)


def test_an_empty_join_is_looked_through():
    trace = read(
        in_order(
            plan(
                add("list"), add("each", after=("list",), each=True), add("end", after=("each",))
            ),
            event(0.35, "TaskExpanded", task="each", children=[]),
        )
    )

    assert list(trace.predecessors("end")) == ["list"]


def test_width_waste_and_repeats_are_those_of_the_attempts():
    seen = measure(diamond())

    assert (seen.tasks, seen.attempts, seen.width_max) == (3, 3, 2)
    assert seen.width == pytest.approx(1.2)
    assert (seen.wasted_s, seen.repeats, seen.replans, seen.planner_calls) == (0.0, 0, 0, 1)


def test_what_was_lost_is_wasted_and_what_succeeds_twice_is_repeated():
    trace = read(
        in_order(
            plan(add("a")),
            plan(add("b"), wall=0.5),
            *attempt("a", 0.0, 1.0, fact="AttemptLost", name="x"),
            *attempt("a", 1.0, 2.0, name="y"),
            *attempt("a", 2.0, 3.0, name="z"),
        )
    )

    seen = measure(trace, struck_at=0.5)

    assert (seen.wasted_s, seen.worked_s, seen.repeats, seen.replans) == (1.0, 3.0, 1, 1)
    assert seen.recovery_s == pytest.approx(1.5)  # to the first success


def test_recovery_is_until_all_is_done_that_was_under_way_on_the_victim():
    trace = read(
        in_order(
            plan(add("a"), add("b"), add("c")),
            *attempt("a", 0.0, 9.0, device="laptop", fact="AttemptLost", name="x"),
            *attempt("a", 10.0, 11.0),
            *attempt("b", 0.0, 1.2),  # another device did not feel it
            *attempt("c", 0.0, 0.5, device="laptop"),  # done before
        )
    )

    assert measure(trace, struck_at=1.0, victim="laptop").recovery_s == pytest.approx(10.0)
    assert measure(trace, struck_at=1.0).recovery_s == pytest.approx(10.0)
    assert measure(trace, struck_at=1.0, victim="edge-1").recovery_s is None


def test_recovery_is_unknown_where_nothing_was_under_way_or_came_any_more():
    trace = read((plan(add("a")), *attempt("a", 0.0, 1.0, fact="AttemptLost")))
    assert measure(trace, struck_at=0.5).recovery_s is None
    assert measure(trace, struck_at=2.0).recovery_s is None


def test_an_attempt_that_never_ended_lasts_until_the_last_event():
    events = [*attempt("a", 0.0, 1.0)][:2]
    trace = read([*events, event(5.0, "RunEnded", status="failed")])
    assert measure(trace).wasted_s == 5.0


def test_replaced_task_and_stated_dependency_are_in_the_graph():
    edge = {"$": "AddDependency", "dependency": {"predecessor": "a", "successor": "b"}}
    again = {**add("b", skill="text.grep"), "$": "ReplaceTask"}
    trace = read([plan(add("a"), add("b"), edge), plan(again, wall=1.0)])

    assert trace.specs["b"]["skill"] == "text.grep"
    assert trace.waits["b"] == {"a"}


@pytest.mark.parametrize(
    ("needs", "devices"),
    [
        ({"device": "edge-2"}, ("edge-2",)),
        ({"labels": {"role": "server"}}, ("server-1", "server-2")),
        ({"labels": {"class": "edge"}}, ("edge-1", "edge-2")),
        ({"labels": {"colour": "red"}}, ()),
        (None, ("laptop", "server-1", "server-2", "edge-1", "edge-2")),
    ],
)
def test_eligible_devices_have_the_labels_and_the_skill(needs, devices):
    assert eligible({"skill": "db.query", "needs": needs}) == devices


@pytest.mark.parametrize(("run_s", "start"), [(0.6, 0.8), (None, 0.2), (5.0, 0.2)])
def test_a_call_whose_beginning_nobody_heard_of_counts_from_its_result(run_s, start):
    success = {"task": "a", "attempt": "a1", "run_s": run_s}
    placed = event(0.2, "TaskPlaced", task="a", attempt="a1", device="phone-1")
    trace = read((plan(add("a")), placed, event(1.4, "AttemptSucceeded", **success)))

    (span,) = trace.spans
    assert (span.start, span.end, span.device) == (pytest.approx(start), 1.4, "phone-1")
    assert measure(trace).tasks == 1


def test_what_a_task_no_longer_waits_for_does_not_come_before_it():
    gone = {"$": "RemoveDependency", "predecessor": "a", "successor": "b"}
    trace = read((plan(add("a"), add("b", after=("a",))), plan(gone)))
    assert list(trace.predecessors("b")) == []
