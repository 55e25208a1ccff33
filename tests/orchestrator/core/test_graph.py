"""Edits: what is accepted, what is refused and why, and that a refusal changes nothing."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import (
    AddTask,
    CancelTask,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.engine import Engine
from orchestrator.core.errors import EditRefusedError
from orchestrator.core.graph import WHOLE_FROM, rerank
from orchestrator.core.model import ForEach, Needs, RunLimits
from orchestrator.core.parts import PART_EDITS, parts
from orchestrator.core.state import Run
from protocol.types import Failed, FailureKind, ResourceNeed, Succeeded
from tests.support.digest import digest
from tests.support.world import RUN, World, edge, plan, task


@pytest.fixture
def world():
    """`a → b → c` beside `lone`; `a` is done, `b` runs, `c` waits for it and `lone` for a slot."""
    made = World()
    made.device("d")
    made.submit(
        task("a"), task("b"), task("c", args={"x": {"$from": "b"}}), edge("a", "b"), task("lone")
    )
    made.finish("a", Succeeded(1))
    made.start("b")
    return made


def refusal(world, *parts, base=None, reads=()):
    """The reasons; a refused batch leaves everything as it was."""
    snapshot, before = repr(world.engine.snapshot(RUN)), digest(world.engine.state)
    decision = world.edit(*parts, base=base, reads=reads)
    assert repr(world.engine.snapshot(RUN)) == snapshot
    assert digest(world.engine.state) == before
    (fact,) = decision.facts
    assert isinstance(fact, f.EditRefused)
    return [(reason.rule, reason.task) for reason in fact.reasons]


EDITS = [
    pytest.param(SetArgs("{}", {}), id="set_args"),
    pytest.param(RemoveTask("{}"), id="remove_task"),
    pytest.param(ReplaceTask(task("{}")), id="replace_task"),
    pytest.param(edge("lone", "{}"), id="add_dependency"),
    pytest.param(RemoveDependency("a", "{}"), id="remove_dependency"),
]


def about(edit, name):
    match edit:
        case SetArgs():
            return SetArgs(name, {})
        case RemoveTask():
            return RemoveTask(name)
        case ReplaceTask():
            return ReplaceTask(task(name))
        case RemoveDependency():
            return RemoveDependency("a", name)
        case _:
            return edge("lone", name)


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", ["a", "b"])
def test_peer_10_i7_a_started_task_is_not_edited_and_the_refused_batch_changes_nothing(
    world, edit, name
):
    assert refusal(world, task("new"), about(edit, name)) == [("started", name)]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_an_unknown_task_is_refused(world, edit):
    assert refusal(world, about(edit, "nobody")) == [("unknown_task", "nobody")]


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ((), [("empty", None)]),
        ((task("a"),), [("duplicate_task", "a")]),
        ((edge("nobody", "c"),), [("unknown_task", "c")]),
        ((task("n", args={"x": {"$from": "nobody"}}),), [("unknown_task", "n")]),
        ((CancelTask("nobody"),), [("unknown_task", "nobody")]),
        ((RemoveTask("lone"), CancelTask("lone")), [("unknown_task", "lone")]),
        ((RemoveTask("lone"), SetArgs("lone", {})), [("unknown_task", "lone")]),
        ((CancelTask("a"),), [("final", "a")]),
        ((RemoveDependency("b", "c"),), [("reference", "c")]),
        ((RemoveDependency("a", "c"),), [("dependency", "c")]),
        ((task("n"), task("m", args={"x": {"$from": "n"}}), RemoveTask("n")),
         [("reference", "m"), ("unknown_task", "m")]),
    ],
)  # fmt: skip
def test_peer_13_each_flaw_is_a_reason_that_names_the_place(world, parts, reasons):
    assert refusal(world, *parts) == reasons


@pytest.mark.parametrize(
    "parts",
    [
        (edge("lone", "lone"),),
        (task("x"), edge("x", "lone"), edge("lone", "x")),
        (task("x"), task("y"), edge("c", "x"), edge("x", "y"), edge("y", "c")),
    ],
)
def test_i1_peer_13_a_cycle_is_refused_and_shown(world, parts):
    assert [rule for rule, _ in refusal(world, *parts)] == ["cycle"]
    assert "→" in world.happened(f.EditRefused)[-1].reasons[0].detail


def test_a_diamond_is_no_cycle(world):
    world.edit(
        task("x"), task("y"), task("z"),
        edge("lone", "x"), edge("lone", "y"), edge("x", "z"), edge("y", "z"), edge("lone", "z"),
    )  # fmt: skip
    world.settle()
    assert world.run().status == "succeeded"


@pytest.mark.parametrize("seen", [{}, {"reads": ("c",)}])
def test_a_stale_batch_is_refused_where_what_it_saw_was_edited(world, seen):
    world.edit(edge("lone", "c"))

    parts = (task("n"),) if seen else (SetArgs("c", {}),)

    assert refusal(world, *parts, base=1, **seen) == [("stale", "c")]
    world.edit(task("n"), base=1)
    assert "n" in world.states()


def test_peer_18_a_revision_adds_removes_and_rewires():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b"), edge("a", "b"))

    world.edit(RemoveTask("b"), task("c"), task("e"), edge("a", "c"), edge("c", "e"))
    world.do("a", "c", "e")

    assert world.states() == dict.fromkeys("ace", "succeeded")
    assert world.run().revision == 2


def test_setting_arguments_wires_the_references_in_them(world):
    world.edit(SetArgs("c", {"x": 1}), RemoveDependency("b", "c"), edge("lone", "c"))
    world.do("b", "lone")

    assert world.where("c") == "d"
    assert world.offer("c").args == {"x": 1}


def test_removing_a_task_lets_its_successors_go(world):
    world.edit(task("n", "nowhere"), task("m"), edge("n", "m"))
    world.edit(RemoveTask("n"))
    world.do("b", "c", "lone", "m")

    assert "n" not in world.states()
    assert world.state("m") == "succeeded"


def test_a_chain_is_removed_from_either_end(world):
    world.edit(task("n", "nowhere"), task("m"), edge("n", "m"))
    world.edit(RemoveTask("m"), RemoveTask("n"))
    assert not {"m", "n"} & set(world.states())


def test_a_task_added_and_removed_in_one_batch_was_never_there(world):
    world.edit(task("n"), edge("n", "c"), RemoveTask("n"), task("o"))

    assert "n" not in world.states()
    assert [each.predecessor for each in world.row("c").incoming] == ["b"]


def test_a_task_that_is_cancelled_twice_in_a_batch_is_cancelled_once(world):
    world.edit(CancelTask("lone"), CancelTask("lone"), CancelTask("c"))

    assert world.states() == {
        "a": "succeeded",
        "b": "active",
        "c": "cancelled",
        "lone": "cancelled",
    }
    assert len(world.happened(f.TaskCancelled)) == 2


def test_a_task_that_is_cancelled_and_removed_is_gone(world):
    world.edit(CancelTask("c"), RemoveTask("c"), CancelTask("lone"))

    assert "c" not in world.states()


def test_what_a_cancelled_task_waited_for_can_be_removed():
    world = World()
    world.submit(task("a"), task("b"), edge("a", "b"), task("c"))
    world.edit(CancelTask("b"))

    world.edit(RemoveTask("a"))

    assert world.states() == {"b": "cancelled", "c": "ready"}


def test_a_run_that_is_being_cancelled_takes_no_edits(world):
    world.tell(e.CancelRun(RUN, "enough"))

    assert refusal(world, task("new")) == [("final", None)]


def test_a_part_of_a_fan_out_is_not_depended_on_nor_edited(world):
    world.edit(task("all", for_each=ForEach([1, 2])))
    assert set(world.states()) >= {"all[0]", "all[1]"}

    assert refusal(world, task("n"), edge("all[0]", "n")) == [("dependency", "n")]
    assert refusal(world, SetArgs("all[0]", {})) == [("started", "all[0]")]


def edited_while_lapsed(*parts):
    """A task whose first attempt lapsed; then somebody edits it."""
    made = World()
    made.device("d", capacity={"gpu": 1.0})
    needs = task("t").needs.__class__(resources=(ResourceNeed("gpu", "g", 1.0),))
    made.submit(task("t", needs=needs), task("u", "other"), limits=RunLimits())
    made.start("t")
    made.silence("d")
    made.wait(30.0)
    assert made.state("t") == "ready"
    made.edit(*parts)
    return made


@pytest.mark.parametrize(
    "part", [SetArgs("t", {"n": 2}), RemoveTask("t"), ReplaceTask(task("t")), edge("u", "t")]
)
def test_a_result_of_a_task_before_its_edit_counts_no_more_and_frees_the_device(part):
    world = edited_while_lapsed(part)
    device = world.engine.state.devices["d"]
    assert device.warm.charged["gpu"] == 1.0
    attempt = world.offer("t").attempt
    for started in (False, True):
        world.tell(e.AttemptReported("d", attempt, started))
    world.tell(e.AttemptAsked("d", attempt, "which?"))

    world.end(attempt, Succeeded("of the old task"))

    assert "succeeded" not in world.states().values()
    assert not device.attempts
    assert not any(warm.users for warm in device.warm.warm.values())
    assert world.ordered(c.Acknowledge, attempt=attempt)


def test_a_device_that_still_holds_an_edited_task_is_told_to_stop():
    world = edited_while_lapsed(SetArgs("t", {"n": 2}))
    attempt = world.offer("t").attempt

    world.hello("d", {attempt: True})

    assert world.ordered(c.CancelAttempt, attempt=attempt)


def test_a_replaced_task_starts_afresh():
    world = World()
    world.device("d")
    world.device("e")
    world.submit(task("t"), limits=RunLimits())
    world.finish("t", Failed(FailureKind.SKILL_ERROR, "bad"))
    world.finish("t", Failed(FailureKind.SKILL_ERROR, "worse"))
    assert world.row("t").awaiting == "planner"

    world.edit(ReplaceTask(task("t", args={"n": 1})))

    assert world.row("t").charged == 0
    assert not world.row("t").excluded
    world.do("t")
    assert world.run().status == "succeeded"


def test_a_plan_with_flaws_is_refused_before_anything_happened():
    world = World()
    with pytest.raises(EditRefusedError, match="'b' depends on unknown 'nobody'") as caught:
        world.submit(task("b"), edge("nobody", "b"))

    assert caught.value.reasons[0].rule == "unknown_task"
    assert not world.engine.state.runs


def test_an_empty_plan_is_refused():
    with pytest.raises(EditRefusedError, match="no edits"):
        World().tell(e.Submit(RUN, "k", "do", plan=plan()))


def test_a_batch_from_a_revision_that_is_not_there_yet_is_refused():
    world = World()
    world.submit(task("a"))
    assert refusal(world, task("b"), base=7) == [("future", None)]
    detail = world.happened(f.EditRefused)[-1].reasons[0].detail
    assert detail == (
        "the batch was made from revision 7, and the run is only at 1: read the run again"
    )
    with pytest.raises(EditRefusedError, match="only at 0"):
        world.tell(e.Submit("new", "k", "do", plan=plan(task("a"), base=3)))


# Ranks (equal to those from scratch by `test_core_properties.py`)


class Looked(dict):
    """The tasks of a run, and how often one was looked at."""

    count = 0

    def __getitem__(self, name):
        self.count += 1
        return super().__getitem__(name)

    def values(self):
        self.count += len(self)
        return super().values()


def in_a_row(length, *, beside=0):
    """A run whose tasks wait for each other, beside others that wait for nothing."""
    tasks = [task(f"t{n}", estimate_s=1.0) for n in range(length)]
    edges = [edge(f"t{n}", f"t{n + 1}") for n in range(length - 1)]
    made = World()
    made.submit(*tasks, *edges, *(task(f"other{n}") for n in range(beside)))
    return made


@pytest.mark.parametrize(
    ("length", "beside", "at_most"),
    [
        pytest.param(10, 500, 100, id="only the ancestors where they are few"),
        pytest.param(500, 500, 1700, id="each task and dependency once where they are many"),
    ],
)
def test_ranking_after_an_edit_looks_at(length, beside, at_most):
    run = in_a_row(length, beside=beside).run()
    run.tasks = tasks = Looked(run.tasks)
    run.tasks[f"t{length - 1}"].cost_s = 9.0

    assert len(rerank(run, [f"t{length - 1}"])) == length
    assert tasks.count < at_most


def test_each_part_of_a_large_plan_looks_at_each_task_and_dependency_once():
    engine, rows, width = Engine(), 12 * PART_EDITS, 64
    fact = f.RunSubmitted(RUN, "k", "do", "", 0, RunLimits(), None, 0, 0.0, 0.0)
    edges = [edge(f"t{n - width}", f"t{n}") for n in range(width, rows)]
    batches = parts(Run(fact, 0), plan(*(task(f"t{n}") for n in range(rows)), *edges))
    engine.apply(fact)
    engine.state.runs[RUN].tasks = tasks = Looked()
    for number, batch in enumerate(batches, start=1):
        before = tasks.count
        engine.apply(f.EditAccepted(RUN, number, "submitter", batch.edits))

        looked = tasks.count - before
        ranking = sum(len(each.outgoing) for each in tasks.values()) + len(tasks)
        assert looked < ranking + len(tasks) / WHOLE_FROM + 6 * len(batch.edits)


def test_ranks_are_right_where_older_tasks_wait_for_younger_ones():
    made = in_a_row(3)
    made.edit(AddTask(task("young", estimate_s=5.0)), edge("young", "t1"))

    assert {name: row.rank for name, row in made.run().tasks.items()} == {
        "t0": 3.0, "t1": 2.0, "t2": 1.0, "young": 7.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("needs", "why"),
    [
        ((ResourceNeed("gpu", "g", -1.0),), "amount of -1"),
        ((ResourceNeed("gpu", "g", float("nan")),), "amount of nan"),
        ((ResourceNeed("gpu", "", 1.0),), "1 to 256 characters"),
        ((ResourceNeed("k" * 257, "g", 1.0),), "1 to 256 characters"),
        (tuple(ResourceNeed("gpu", str(n), 1.0) for n in range(65)), "64 are the most"),
    ],
)
def test_peer_13_needs_that_no_device_could_be_told_are_refused_before_anything_starts(needs, why):
    world = World()
    world.device("d", capacity={"gpu": 1.0})
    with pytest.raises(EditRefusedError, match=why) as caught:
        world.submit(task("t", needs=Needs(resources=needs)))
    assert [reason.rule for reason in caught.value.reasons] == ["resource"]
