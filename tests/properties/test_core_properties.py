"""Parts of the core against naive models: timers, edits and ranks, placement, references."""

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import facts as f
from orchestrator.core.apply import APPLY
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.graph import judge
from orchestrator.core.model import RunLimits
from orchestrator.core.references import MissingError, predecessors, resolve
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.state import State
from orchestrator.core.timers import Timers
from protocol.types import RunId, Succeeded, TaskId
from tests.support.digest import digest
from tests.support.world import World, edge, task

RUN = RunId("run")
COMMON = settings(deadline=None, derandomize=True)

# Timers

keys = st.sampled_from([("task", "r", name) for name in "abcde"])
times = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 7.5])
steps = st.one_of(
    st.tuples(st.just("set"), keys, times),
    st.tuples(st.just("clear"), keys, st.none()),
    st.tuples(st.just("take"), st.none(), times),
    st.tuples(st.just("shift"), st.none(), st.sampled_from([-1.0, 3.0])),
)


@settings(COMMON, max_examples=200)
@given(st.lists(steps, max_size=60))
def test_timers_agree_with_a_plain_dictionary(script):
    timers, model = Timers(), {}
    for what, key, amount in script:
        match what:
            case "set":
                timers.set(key, amount)
                model[key] = amount
            case "clear":
                timers.clear(key)
                model.pop(key, None)
            case "shift":
                timers.shift(amount)
                model = {name: due + amount for name, due in model.items()}
            case "take":
                taken = timers.take(amount)
                due = sorted(model.values())
                if due and due[0] <= amount:
                    assert model.pop(taken) == due[0]
                else:
                    assert taken is None
        assert timers.pending() == model
        assert timers.next() == min(model.values(), default=None)
        assert all(timers.get(name) == model.get(name) for _, name, _ in script if name)


def test_deadlines_that_move_for_ever_cost_no_memory():
    timers = Timers()
    for n in range(5000):
        timers.set(("task", "r", str(n % 3)), float(5000 - n))
    assert len(timers._heap) < 200
    assert [timers.take(9e9)[2] for _ in range(3)] == ["1", "0", "2"]


# Edits and ranks

names = st.sampled_from([TaskId(f"t{n}") for n in range(7)])
specs = st.builds(
    lambda name, seconds, other: task(
        name, estimate_s=seconds, args={"x": {"$from": other}} if other else {}
    ),
    names,
    st.sampled_from([1.0, 2.5, 4.0]),
    st.one_of(st.none(), st.none(), names),
)
edits = st.one_of(
    st.builds(AddTask, specs),
    st.builds(AddTask, specs),
    st.builds(ReplaceTask, specs),
    st.builds(RemoveTask, names),
    st.builds(lambda name: SetArgs(name, {}), names),
    st.builds(lambda a, b: AddDependency(edge(a, b)), names, names),
    st.builds(lambda a, b: AddDependency(edge(a, b)), names, names),
    st.builds(RemoveDependency, names, names),
)


pairs = [(a, b) for b in range(5) for a in range(b)]


def first_batches():
    """Five tasks, and dependencies of later ones on earlier ones."""
    tasks = [AddTask(task(f"t{n}", estimate_s=float(n + 1))) for n in range(5)]
    return st.lists(st.sampled_from(pairs), max_size=6).map(
        lambda drawn: [*tasks, *(AddDependency(edge(f"t{a}", f"t{b}")) for a, b in drawn)]
    )


def later_batches():
    return st.lists(st.lists(edits, min_size=1, max_size=2), min_size=1, max_size=10)


def submitted():
    state = State()
    fact = f.RunSubmitted(RUN, "k", "do", "", 0, RunLimits(), None, 0, 0.0, 0.0)
    APPLY[type(fact)](state, fact)
    return state, state.runs[RUN]


def edges_of(run):
    return {(e.predecessor, name) for name, row in run.tasks.items() for e in row.incoming}


def model_after(run, batch):
    """What the graph is after a batch; None if any edit, or the whole, makes no sense."""
    graph = {name: row.spec for name, row in run.tasks.items()}, edges_of(run)
    for edit in batch:
        if not changed(*graph, edit):
            return None
    tasks, edges = graph
    if any(a not in tasks for a, _ in edges) or ranks(tasks, edges) is None:
        return None
    return graph


def changed(tasks, edges, edit):
    """Carry an edit out, and tell whether it made sense."""
    match edit:
        case AddTask(spec) | ReplaceTask(spec) if (spec.id in tasks) == (
            type(edit) is ReplaceTask
        ):
            tasks[spec.id] = spec
            edges |= {(before, spec.id) for before in predecessors(spec)}
        case SetArgs(name) if name in tasks:
            tasks[name] = task(name, estimate_s=tasks[name].estimate_s)
        case RemoveTask(name) if name in tasks:
            del tasks[name]
            referring = [b for a, b in edges if a == name and b in tasks]
            edges -= {pair for pair in edges if name in pair}
            return not any(name in predecessors(tasks[b]) for b in referring)
        case AddDependency(new) if new.successor in tasks:
            edges.add((new.predecessor, new.successor))
        case RemoveDependency(a, b) if (a, b) in edges and a not in predecessors(tasks[b]):
            edges.discard((a, b))
        case _:
            return False
    return True


def ranks(tasks, edges):
    """Upward ranks from scratch; None if there is a cycle."""
    found = {}
    while len(found) < len(tasks):
        ready = [
            name
            for name in tasks
            if name not in found and all(b in found for a, b in edges if a == name)
        ]
        if not ready:
            return None
        for name in ready:
            after = [found[b] for a, b in edges if a == name]
            found[name] = tasks[name].estimate_s + max(after, default=0.0)
    return found


@settings(COMMON, max_examples=150)
@given(first_batches(), later_batches(), st.sampled_from([0, 80]))
def test_i1_i7_a_batch_is_accepted_exactly_if_it_makes_sense_and_ranks_are_as_from_scratch(
    first, later, others
):
    state, run = submitted()
    if others:  # beside many others only the ancestors are ranked anew
        beside = tuple(AddTask(task(f"other{n}", estimate_s=1.0)) for n in range(others))
        APPLY[f.EditAccepted](state, f.EditAccepted(RUN, 1, "p", beside))
    for parts in (first, *later):
        batch = EditBatch(run.revision, tuple(parts))
        expected, before = model_after(run, batch.edits), digest(state)
        judged = judge(run, batch)
        assert digest(state) == before, "I7"
        assert (not judged.reasons) == (expected is not None), judged.reasons
        if expected is None:
            continue
        fact = f.EditAccepted(RUN, run.revision + 1, "p", batch.edits)
        APPLY[type(fact)](state, fact)
        tasks, edges = expected
        assert {name: row.spec for name, row in run.tasks.items()} == tasks
        assert edges_of(run) == edges
        assert {(n, s) for n, row in run.tasks.items() for s in row.outgoing} == edges
        assert {name: row.rank for name, row in run.tasks.items()} == ranks(tasks, edges)
        for name, row in run.tasks.items():
            assert row.unmet == sum(b == name for _, b in edges)


# Placement

fleets = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([0.5, 1.0, 2.0, 7.0]), st.booleans()),
    min_size=1,
    max_size=5,
)
loads = st.lists(
    st.tuples(st.sampled_from([1.0, 3.0, 10.0]), st.booleans()), min_size=1, max_size=9
)


@settings(COMMON, max_examples=40)
@given(fleets, loads)
def test_i5_every_placement_is_feasible_and_all_work_gets_done(devices, work):
    world = World()
    for n, (slots, speed, special) in enumerate(devices):
        skills = ("work", "special") if special else ("work",)
        world.device(f"d{n}", *skills, slots=slots, speed=speed)
    world.submit(
        *(
            task(f"t{n}", "special" if special else "work", estimate_s=seconds)
            for n, (seconds, special) in enumerate(work)
        )
    )
    world.settle()  # which checks slots at every placement
    able = any(special for _, _, special in devices)
    for offer in world.offers.values():
        card = world.engine.state.devices[offer.device].card
        assert offer.skill in {skill.name for skill in card.skills}
    assert world.run().status == (
        "succeeded" if able or not any(special for _, special in work) else "failed"
    )


@settings(COMMON, max_examples=40)
@given(fleets)
def test_with_all_idle_a_task_goes_where_it_finishes_first(devices):
    world = World()
    for n, (slots, speed, _) in enumerate(devices):
        world.device(f"d{n}", slots=slots, speed=speed)
    world.submit(task("t", estimate_s=6.0))
    best = min(range(len(devices)), key=lambda n: (6.0 / devices[n][1], n))
    assert world.where("t") == f"d{best}"


@settings(COMMON, max_examples=30)
@given(fleets, st.lists(st.sampled_from([1.0, 3.0, 10.0]), min_size=1, max_size=12))
def test_equal_speed_is_filled_up_in_rank_order_before_anything_waits(devices, seconds):
    world = World(policy=Policy.EARLIEST_FINISH)
    for n, (slots, _, _) in enumerate(devices):
        world.device(f"d{n}", slots=slots)
    world.submit(*(task(f"t{n}", estimate_s=each) for n, each in enumerate(seconds)))
    room = sum(slots for slots, _, _ in devices)
    placed = [offer.task for offer in world.offers.values()]
    longest = heapq.nsmallest(room, range(len(seconds)), key=lambda n: (-seconds[n], n))
    assert placed == [f"t{n}" for n in longest]
    for name in list(world.engine.state.attempts):
        world.end(name, Succeeded(None))
    assert len(world.offers) == min(2 * room, len(seconds))


# References

scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
paths = st.lists(st.one_of(st.integers(-2, 2), st.sampled_from("abc")), max_size=3)


@settings(COMMON, max_examples=200)
@given(values, values, paths)
def test_a_reference_resolves_to_its_place_or_says_what_is_missing(plain, output, path):
    args = {"plain": plain, "from": [{"$from": "t", "path": path}]}
    assert predecessors(task("x", args=args)) == ("t",)
    wanted = output
    try:
        for part in path:
            wanted = wanted[part]
    except (LookupError, TypeError):
        with pytest.raises(MissingError, match="has no"):
            resolve(args, lambda _: output)
    else:
        assert resolve(args, lambda _: output) == {"plain": plain, "from": [wanted]}
