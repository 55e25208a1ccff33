from dataclasses import replace
from types import SimpleNamespace

import pytest

from agents.skills import Context, PermanentError
from benchmarks.simulation.fleet import WorldMemory
from benchmarks.simulation.kinds import Fault, Kind
from benchmarks.simulation.oracle import (
    ViolationError,
    Witness,
    assert_folded,
    assert_room,
    demands,
)
from benchmarks.simulation.plans import AMPLE, TIGHT
from benchmarks.simulation.setting import draw
from benchmarks.simulation.store import Store
from orchestrator.core import facts as f
from orchestrator.core.engine import Engine
from orchestrator.core.events import Submit
from orchestrator.core.model import Now
from orchestrator.journal import Recovered
from protocol.types import AttemptId, DeviceId, Effect, FailureKind, RunId, TaskId

RUN, TASK = RunId("run0"), TaskId("t")
EASY = replace(
    draw(0), limits=AMPLE, once=0.0, planned=False, wrong=0.0, steered=False, shape="fan_out"
)


def fired(kind, **more):
    return Fault(kind, "d0", 0.0, 1.0, 0.5, hits=1, **more)


def placed(token, attempt="a"):
    return f.TaskPlaced(
        RUN, TASK, AttemptId(attempt), 1, DeviceId("d0"), token, Effect.PURE, 1.0, 0.0, 2.0
    )


def context(token):
    return Context(attempt=AttemptId(f"a{token}"), run=RUN, task=TASK, token=token)


def hedge(token, attempt, beside, effect=Effect.PURE):
    why = f.Hedge(AttemptId(beside), 9.0, 2.0)
    return replace(placed(token, attempt), hedge=why, effect=effect)


def told(*facts):
    witness = Witness()
    for fact in facts:
        witness.see(fact, [])


def test_i4_a_hedge_runs_beside_the_one_live_attempt():
    failed = f.AttemptFailed(RUN, TASK, AttemptId("a"), FailureKind.TRANSIENT, "no")
    outrun = f.AttemptOutrun(RUN, TASK, AttemptId("b"), hedge=False, ran_s=1.0)
    told(placed(1), hedge(2, "b", "a"), failed, hedge(3, "c", "b"), outrun)


@pytest.mark.parametrize(
    "wrong",
    [
        [placed(2, "b")],
        [hedge(2, "b", "a"), hedge(3, "c", "a")],
        [hedge(2, "b", "x")],
        [hedge(2, "b", "a", Effect.ONCE)],
    ],
)
def test_i4_any_other_second_live_attempt_is_a_violation(wrong):
    with pytest.raises(ViolationError, match="I4"):
        told(placed(1), *wrong)


SUCCEEDED = f.AttemptSucceeded(RUN, TASK, AttemptId("a"), None, 1.0)


def test_success_is_demanded_whatever_falls_out_on_the_way():
    assert demands(EASY, [fired(Kind.DISK_LOST), fired(Kind.PARTITION), fired(Kind.RIVAL)], 0)


@pytest.mark.parametrize(
    "setting",
    [
        replace(EASY, limits=TIGHT),
        replace(EASY, planned=True, wrong=0.5),
        replace(EASY, steered=True),
    ],
)
def test_nothing_is_demanded_of_tight_limits_wrong_planners_and_meddling_people(setting):
    assert not demands(setting, [], 0)


@pytest.mark.parametrize(
    "faults",
    [
        [fired(Kind.CONTRADICTION)],
        [fired(Kind.COORDINATOR_CLOCK)] * 3,
    ],
)
def test_nothing_is_demanded_where_lies_or_jumps_may_decide(faults):
    assert not demands(EASY, faults, 0)


@pytest.mark.parametrize(
    ("faults", "demanded"),
    [
        ([fired(Kind.PARTITION)], True),
        ([fired(Kind.AGENT_CRASH)], True),
        ([fired(Kind.AGENT_CRASH, once=True)], False),
        ([fired(Kind.DISK_LOST)], False),
        ([fired(Kind.SLOW)], True),
        ([fired(Kind.SLOW), fired(Kind.PARTITION)], False),
        ([Fault(Kind.DISK_LOST, "d0", 0.0, 1.0, 0.5)], True),
    ],
)
def test_once_tasks_are_demanded_unless_a_fault_may_have_cost_their_outcome(faults, demanded):
    assert demands(replace(EASY, once=1.0), faults, 0) is demanded


def test_finished_task_that_is_placed_again_is_seen():
    witness = Witness()
    witness.see(placed(1), [])
    witness.see(SUCCEEDED, [])
    with pytest.raises(ViolationError, match="placed again"):
        witness.see(placed(2, "b"), [])


def test_second_success_and_second_end_are_seen():
    witness = Witness()
    witness.see(SUCCEEDED, [])
    with pytest.raises(ViolationError, match="I6"):
        witness.see(SUCCEEDED, [])
    ended = f.RunEnded(RUN, f.RunStatus.FAILED, "why", 1.0)
    witness.see(ended, [])
    with pytest.raises(ViolationError, match="I6"):
        witness.see(ended, [])


def test_token_that_does_not_rise_is_seen():
    witness = Witness()
    witness.see(placed(2), [])
    with pytest.raises(ViolationError, match="I9"):
        witness.see(placed(2, "b"), [])


def test_attempt_taken_for_lost_is_seen_where_nobody_lost_anything():
    lost = f.AttemptLost(RUN, TASK, AttemptId("a"), "d0 no longer knows the attempt")
    with pytest.raises(ViolationError, match="is not"):
        Witness().see(lost, [])


def test_record_that_says_something_else_is_seen():
    engine = Engine()
    assert_folded(engine, Recovered({}, [], None))
    engine.decide(Submit(RUN, "k", "x"), now=Now(0.0, 0.0))
    with pytest.raises(ViolationError, match="I11"):
        assert_folded(engine, Recovered({}, [], None))


@pytest.mark.parametrize(
    ("keys", "shared"), [(("a", "b", "c"), False), (("a", "a"), True)], ids=["too many", "twice"]
)
async def test_device_that_holds_too_much_is_seen(keys, shared):
    memory = WorldMemory(2.0, shared=shared)
    device = SimpleNamespace(excess=memory.excess, party=SimpleNamespace(name="d0"))
    await memory.load(keys[0])
    assert_room([device])
    for key in keys[1:]:
        await memory.load(key)
    with pytest.raises(ViolationError, match="I5"):
        assert_room([device])


def test_store_counts_starts_and_effects_and_refuses_an_old_writer():
    store = Store()
    store.begin(context(2))
    store.write(context(2))
    assert store.twice() == {}
    with pytest.raises(PermanentError, match="newer"):
        store.write(context(1))
    store.begin(context(3))
    assert store.twice() == {(RUN, TASK): 2}
    assert (store.fenced, store.effects[RUN, TASK]) == (1, 1)
