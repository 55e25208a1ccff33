import math
import random

from orchestrator.planner.checks.profile import Profile
from orchestrator.planner.checks.schedule import Activity, Machine, Problem, schedule
from orchestrator.planner.checks.sharing import Shared
from tests.orchestrator.planner.checks.oracle import violations


def test_a_second_use_under_the_same_key_takes_nothing_more():
    whole = Profile(3.0)
    model, other = Shared(whole), Shared(whole)
    model.take(0.0, 10.0, 2.0)
    model.take(5.0, 15.0, 2.0)
    assert [whole.at(t)[0] for t in (0.0, 7.0, 12.0, 15.0)] == [2.0, 2.0, 2.0, 0.0]
    assert other.earliest(0.0, 1.0, 2.0) == 15.0
    assert model.earliest(0.0, 20.0, 2.0) == 0.0


def test_a_larger_use_takes_the_difference():
    whole = Profile(3.0)
    model = Shared(whole)
    model.take(0.0, 10.0, 1.0)
    model.take(2.0, 4.0, 3.0)
    assert [whole.at(t)[0] for t in (1.0, 3.0, 5.0)] == [1.0, 3.0, 1.0]
    assert Shared(whole).earliest(0.0, 3.0, 1.0) == 4.0


def test_what_no_room_is_ever_enough_for_never_begins():
    assert Shared(Profile(1.0)).earliest(0.0, 1.0, 2.0) == math.inf
    assert Shared(Profile(1.0)).earliest(3.0, 0.0, 2.0) == 3.0


def test_large_schedules_with_shared_keys_keep_every_constraint():
    for seed in range(20):
        chance = random.Random(seed)
        machines = [Machine(f"m{n}", 4, {"gpu": 3.0}) for n in range(2)]
        activities = [
            Activity(
                f"a{n}",
                tuple((m, chance.uniform(0.5, 4.0)) for m in range(2)),
                tuple(p for p in range(n) if chance.random() < 0.05),
                demand=(("gpu", 1.0),) if n % 3 == 0 else (),
                shared=(("gpu", chance.choice([1.0, 2.0]), chance.choice("abc")),)
                if n % 3
                else (),
            )
            for n in range(60)
        ]
        found = schedule(Problem(activities, machines))
        assert violations(activities, machines, found.placed) == []
