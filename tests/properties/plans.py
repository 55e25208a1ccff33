"""Small plans, edits of them, and outcomes, for a search to draw from."""

from dataclasses import replace

from hypothesis import strategies as st

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.model import (
    Dependency,
    ForEach,
    Limits,
    Needs,
    On,
    Op,
    Predicate,
    TaskSpec,
)
from orchestrator.core.references import predecessors
from protocol.types import (
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    ResourceNeed,
    Succeeded,
    TaskId,
    Unknown,
)

DEVICES = [DeviceId(f"d{n}") for n in range(3)]
SKILLS = ["read", "write"]
TASKS = [TaskId(f"t{n}") for n in range(4)]
tasks = st.sampled_from(TASKS)
needs = st.builds(
    Needs,
    device=st.sampled_from([*[None] * 6, *DEVICES]),
    labels=st.sampled_from([{}, {}, {"site": "lab"}]),
    resources=st.sampled_from([(), (), (ResourceNeed("memory", "m", 2.0),)]),
)
arguments = st.one_of(
    st.just({}), st.builds(lambda name: {"in": {"$from": name, "path": [0]}}, tasks)
)
for_each = st.one_of(
    *[st.none()] * 4,
    st.just(ForEach()),
    st.builds(lambda source, least: ForEach({"$from": source}, min_success=least), tasks,
              st.sampled_from([None, 1])),
)  # fmt: skip
specs = st.builds(
    TaskSpec,
    tasks,
    st.sampled_from(SKILLS),
    args=arguments,
    needs=needs,
    limits=st.builds(
        Limits,
        queue_s=st.sampled_from([20.0, 60.0]),
        run_s=st.sampled_from([10.0, 40.0]),
        start_s=st.sampled_from([1.0, 15.0]),
        input_s=st.just(30.0),
        unknown_s=st.just(25.0),
        attempts=st.sampled_from([1, 3]),
    ),
    effect=st.sampled_from([None, Effect.PURE, *Effect]),
    estimate_s=st.sampled_from([None, 1.0, 1.0, 30.0]),
    for_each=for_each,
    expect=st.sampled_from(
        [*[None] * 4, Predicate((), Op.TRUTHY), Predicate((0,), Op.EQ, 7)]  # some of all, or none
    ),
)
conditions = st.sampled_from(
    [
        *((on, None) for on in (On.SUCCESS, On.SUCCESS, On.FAILURE, On.COMPLETION)),
        (On.WHEN, Predicate((0,), Op.EQ, 1)),
        (On.WHEN, Predicate((0,), Op.EQ, 7)),
    ]
)
dependencies = st.builds(lambda a, b, how: Dependency(a, b, *how), tasks, tasks, conditions)
edits = st.one_of(
    st.builds(AddTask, specs),
    st.builds(AddTask, specs),
    st.builds(ReplaceTask, specs),
    st.builds(SetArgs, tasks, arguments),
    st.builds(RemoveTask, tasks),
    st.builds(AddDependency, dependencies),
    st.builds(AddDependency, dependencies),
    st.builds(RemoveDependency, tasks, tasks),
    st.builds(CancelTask, tasks),
)
outcomes = st.sampled_from(
    [
        *[Succeeded([1, 2])] * 3,
        Succeeded(None),
        Rejected("busy"),
        Cancelled(),
        Unknown("power was lost"),
        *(Failed(kind, "scripted") for kind in FailureKind),
    ]
)


@st.composite
def first_plans(draw):
    """A plan that is accepted: tasks depend on, and refer to, earlier ones."""
    made = {spec.id: spec for spec in draw(st.lists(specs, min_size=1, max_size=len(TASKS)))}
    parts, before = [], []
    for spec in made.values():
        parts.append(AddTask(spec if {*predecessors(spec)} <= {*before} else unbound(spec)))
        parts += (
            AddDependency(Dependency(name, spec.id, *draw(conditions)))
            for name in before
            if draw(st.integers(0, 2)) == 0
        )
        before.append(spec.id)
    return EditBatch(0, tuple(parts))


def unbound(spec):
    return replace(spec, args={}, for_each=None)
