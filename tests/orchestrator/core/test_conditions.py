"""Conditions on dependencies, over the full table of outcomes."""

import pytest

from orchestrator.core import events as e
from orchestrator.core.edits import CancelTask
from orchestrator.core.model import On, Op, Predicate
from orchestrator.core.predicates import holds
from protocol.types import Failed, FailureKind, Succeeded
from tests.support.world import RUN, World, edge, task

TAKEN = Predicate(("n",), Op.EQ, 7)
NOT_TAKEN = Predicate(("n",), Op.EQ, 8)
BAD = Failed(FailureKind.BAD_INPUT, "wrong")
CONDITIONS = {
    "success": (On.SUCCESS, None),
    "failure": (On.FAILURE, None),
    "completion": (On.COMPLETION, None),
    "taken": (On.WHEN, TAKEN),
    "not_taken": (On.WHEN, NOT_TAKEN),
}
GO, BRANCH, FAILURE = "succeeded", "not taken", "failed upstream"
TABLE = {
    #             success, failure, completion, taken, not taken
    "succeeded": (GO, BRANCH, GO, GO, BRANCH),
    "none": (GO, BRANCH, GO, BRANCH, BRANCH),
    "failed": (FAILURE, GO, GO, FAILURE, FAILURE),
    "cancelled": (FAILURE, BRANCH, GO, FAILURE, FAILURE),
    "skipped": (FAILURE, BRANCH, GO, FAILURE, FAILURE),
    "branch": (BRANCH, BRANCH, GO, BRANCH, BRANCH),
}


def end(world, how):
    """Bring the predecessor `p` to an end."""
    match how:
        case "succeeded":
            world.finish("p", Succeeded({"n": 7}))
        case "none":
            world.finish("p", Succeeded(None))
        case "failed":
            world.finish("p", BAD)
        case "cancelled":
            world.edit(CancelTask("p"))
        case "skipped":
            world.finish("root", BAD)
        case "branch":
            world.finish("root")


def start(how):
    world = World()
    world.device("d")
    root = {
        "skipped": [task("root"), edge("root", "p")],
        "branch": [task("root"), edge("root", "p", On.FAILURE)],
        "cancelled": [task("root", "nowhere"), edge("root", "p")],
    }
    successors = [
        part
        for name, (on, when) in CONDITIONS.items()
        for part in (task(name), edge("p", name, on, when))
    ]
    world.submit(task("p"), *root.get(how, []), *successors)
    return world


def became(world):
    """What each successor came to."""
    found = []
    for name in CONDITIONS:
        row = world.row(name)
        if row.state == "skipped":
            found.append(FAILURE if row.failed_upstream else BRANCH)
        else:
            world.do(name)
            found.append(world.state(name))
    return tuple(found)


@pytest.mark.parametrize("rows", [None, False, True], ids=["live", "replayed", "restored"])
@pytest.mark.parametrize("how", TABLE)
def test_peer_9_a_condition_lets_go_as_the_table_says(how, rows):
    world = start(how)
    if rows is not None:
        world.restart(rows=rows)
    end(world, how)
    if rows is not None:
        world.restart(rows=rows)
        world.beat("d")

    assert became(world) == TABLE[how]


def test_peer_9_a_success_that_returned_nothing_is_a_success():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b"), edge("a", "b"))
    world.do("a", "b")
    assert world.run().status == "succeeded"


def test_a_handled_failure_leaves_the_run_successful():
    world = World()
    world.device("d")
    world.submit(task("a"), task("mend"), edge("a", "mend", On.FAILURE))
    world.finish("a", BAD)
    world.do("mend")
    assert world.run().status == "succeeded"


def test_a_branch_not_taken_is_no_failure_and_says_why():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b"), edge("a", "b", On.WHEN, NOT_TAKEN))
    world.finish("a", Succeeded({"n": 7}))

    assert world.row("b").reason == "the condition on 'a' does not hold"
    assert world.run().status == "succeeded"


def test_i8_a_task_is_ready_in_the_step_that_fulfils_its_last_condition():
    world = World()
    world.submit(task("a"), task("b"), task("c"), edge("a", "c"), edge("b", "c"))
    world.device("d", slots=2)
    world.do("a")
    assert world.state("c") == "waiting"
    decision = world.end(world.offer("b").attempt, Succeeded(None))
    assert [type(fact).__name__ for fact in decision.facts] == [
        "AttemptSucceeded",
        "TasksReady",
        "TaskPlaced",
    ]


def test_peer_21_a_task_starts_when_its_own_predecessors_are_done():
    world = World()
    world.device("d", slots=2)
    world.submit(task("quick"), task("slow"), task("next"), edge("quick", "next"))
    world.do("quick")
    assert world.state("slow") == "active"
    assert world.state("next") == "active"


@pytest.mark.parametrize(
    ("op", "value", "true", "false"),
    [
        (Op.EQ, 3, [3, 3.0], [4, "3"]),
        (Op.NE, 3, [4, "3", None], [3]),
        (Op.LT, 3, [2], [3, 4, "2", None]),
        (Op.LE, 3, [2, 3], [4]),
        (Op.GT, 3, [4], [3, 2]),
        (Op.GE, 3, [4, 3], [2]),
        (Op.IN, ["a", "b"], ["a"], ["c", None]),
        (Op.IN, None, [], ["a"]),
        (Op.EXISTS, None, [0, None, ""], []),
        (Op.TRUTHY, None, [1, "x", [0]], [0, "", [], None]),
    ],
)
def test_an_operator_compares_and_what_cannot_be_compared_does_not_hold(op, value, true, false):
    predicate = Predicate(("at", 0), op, value)
    assert [holds(predicate, {"at": [found]}) for found in true] == [True] * len(true)
    assert [holds(predicate, {"at": [found]}) for found in false] == [False] * len(false)
    assert not holds(predicate, {"at": []})


def test_a_cancelled_run_takes_no_branch():
    world = start("succeeded")
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(60.0)
    assert set(world.states().values()) == {"cancelled"}
