from types import SimpleNamespace

import pytest

from benchmarks.crossdevice.faults import Fate, Kind, Plan, draw, possible
from benchmarks.crossdevice.hardware import PASSING
from benchmarks.crossdevice.stage import BROKER, COORDINATOR
from benchmarks.crossdevice.task import load
from benchmarks.crossdevice.trace import read
from tests.benchmarks.crossdevice.events import attempt

TASK = load("log_triage_errors_by_cause")
SPREAD = load("mirror_fallback_restore")  # either server will do


class Struck:
    """A stage that notes what is done to it."""

    def __init__(self):
        self.heard = []

    async def kill(self, who, *, away_s):
        self.heard.append(("kill", who, away_s))

    async def cut(self, device, *, for_s):
        self.heard.append(("cut", device, for_s))

    def wall(self):
        return 7.0


async def fed(plan, events, peace=None):
    stage, fate = Struck(), Fate(plan, TASK, peace or {})
    for each in events:
        await fate.seen(each, stage)
    return stage.heard, fate


@pytest.mark.parametrize("kind", Kind)
def test_a_fault_follows_from_seed_task_and_kind(kind):
    assert draw(kind, TASK, seed=1) == draw(kind, TASK, seed=1)
    victims = {draw(kind, TASK, seed=seed).victim for seed in range(30)}
    wanted = {"device_lost", "device_back", "slow", "partition"}
    assert victims == (set(TASK.file.devices) if kind in wanted else {""})


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (Kind.DEVICE_LOST, ("kill", "laptop", None)),
        (Kind.DEVICE_BACK, ("kill", "laptop", 2.0)),
        (Kind.PARTITION, ("cut", "laptop", 2.0)),
    ],
)
async def test_a_fault_of_a_device_strikes_when_that_device_starts_something(kind, done):
    plan = Plan(kind, 0, "laptop", 0.0, 2.0)
    elsewhere, there = [*attempt("a", 0, 1)], [*attempt("b", 1, 2, device="laptop")]

    assert (await fed(plan, elsewhere))[0] == []
    heard, fate = await fed(plan, [*elsewhere, *there, *there])
    assert heard == [done]
    assert fate.struck_at == 7.0


@pytest.mark.parametrize(("kind", "who"), [(Kind.BROKER, BROKER), (Kind.COORDINATOR, COORDINATOR)])
async def test_a_central_fault_strikes_after_its_share_of_the_starts(kind, who):
    plan = Plan(kind, 0, "", 0.5, 1.0)
    peace = {"server-1": 3, "laptop": 1}
    events = [each for n in range(3) for each in attempt(f"t{n}", n, n + 1)]

    assert (await fed(plan, events[:-2], peace))[0] == []
    assert (await fed(plan, events, peace))[0] == [("kill", who, 1.0)]


async def test_a_victim_that_never_works_is_hit_while_others_do():
    plan = Plan(Kind.DEVICE_LOST, 0, "laptop")
    heard, _ = await fed(plan, attempt("a", 0, 1), {"server-1": 2})
    assert heard == [("kill", "laptop", None)]


async def test_nothing_strikes_in_peace():
    heard, fate = await fed(Plan(Kind.NONE, 0), attempt("a", 0, 1))
    assert (heard, fate.struck_at, fate.controls()) == ([], None, {})


def test_hardware_faults_are_there_from_the_beginning():
    (slow,) = Fate(Plan(Kind.SLOW, 0, "laptop"), TASK, {}).controls().items()
    assert slow[0] == "laptop"
    assert slow[1].slow == 5.0
    everywhere = Fate(Plan(Kind.TRANSIENT, 3), TASK, {}).controls()
    assert len(everywhere) == 7
    assert {each.transient for each in everywhere.values()} == {0.1}


@pytest.mark.parametrize(
    ("plan", "events", "felt"),
    [
        (Plan(Kind.NONE, 0), attempt("a", 0, 1), False),
        (Plan(Kind.SLOW, 0, "laptop"), attempt("a", 0, 1, device="laptop"), True),
        (Plan(Kind.SLOW, 0, "laptop"), attempt("a", 0, 1), False),
        (Plan(Kind.TRANSIENT, 0), attempt("a", 0, 1), False),
        (Plan(Kind.BROKER, 0), attempt("a", 0, 9), True),
        (Plan(Kind.BROKER, 0), attempt("a", 0, 5), False),  # too late: it strikes at 7
        (Plan(Kind.BROKER, 0), (), False),
        (Plan(Kind.DEVICE_LOST, 0, "laptop"), attempt("a", 0, 9, device="laptop"), True),
        (Plan(Kind.DEVICE_LOST, 0, "laptop"), attempt("a", 0, 9), False),
    ],
)
async def test_a_run_feels_a_fault_that_meets_it_at_work(plan, events, felt):
    events = [*events]
    _, fate = await fed(plan, events)
    assert fate.met(read(events), mistakes=0) is felt


async def test_a_run_does_not_feel_that_a_device_is_killed_that_has_no_work():
    events = [*attempt("a", 0, 9)]
    heard, fate = await fed(Plan(Kind.DEVICE_BACK, 0, "laptop"), events, {"server-1": 2})
    assert heard
    assert not fate.met(read(events), mistakes=0)


def test_a_run_feels_failures_in_passing_and_mistakes_of_its_planner():
    _, began, end = attempt("a", 0, 1, fact="AttemptFailed")
    end["data"]["detail"] = f"work.digest: {PASSING}"
    assert Fate(Plan(Kind.TRANSIENT, 0), TASK, {}).met(read([_, began, end]), mistakes=0)
    wrong = Fate(Plan(Kind.PLANNER30, 0), TASK, {})
    assert [wrong.met(read([]), mistakes=n) for n in (0, 1)] == [False, True]


def test_luck_follows_from_seed_and_task():
    def luck(seed, task):
        return Fate(Plan(Kind.TRANSIENT, seed), task, {}).controls()["laptop"].seed

    assert luck(3, TASK) == luck(3, TASK)
    assert len({luck(3, TASK), luck(4, TASK), luck(3, SPREAD)}) == 3


def test_oracle_asks_only_who_is_gone_for_good_and_what_nobody_else_has():
    assert not possible(TASK, Plan(Kind.DEVICE_LOST, 0, "server-1"))
    assert possible(SPREAD, Plan(Kind.DEVICE_LOST, 0, "server-1"))
    assert possible(TASK, Plan(Kind.DEVICE_LOST, 0, "phone-1"))
    assert possible(TASK, Plan(Kind.DEVICE_BACK, 0, "server-1"))


def test_oracle_knows_no_run():
    bare = SimpleNamespace(file=SimpleNamespace(needs=[("a", "b"), ("c",)]))
    lost = {who: possible(bare, Plan(Kind.DEVICE_LOST, 0, who)) for who in "abcd"}
    assert lost == {"a": True, "b": True, "c": False, "d": True}
