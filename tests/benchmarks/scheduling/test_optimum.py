"""CP-SAT on what is known."""

from hypothesis import given, settings

from benchmarks.scheduling import optimum
from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.figures import EXACT
from benchmarks.scheduling.model import Execution, makespan, problem
from benchmarks.scheduling.noise import Noise
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.race import race
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.shops import job_shop
from benchmarks.scheduling.validator import violations
from benchmarks.scheduling.worlds import World
from tests.benchmarks.scheduling.papers import FT06, TOPCUOGLU, exact, problems

HEFT = SCHEDULERS["heft"]


def solved(there, known=None, *, limit_s=10.0):
    known = known or HEFT(Plan(there)).executions()
    found = optimum.solve(there, known, limit_s=limit_s, seed=0)
    return known, replay(there, HEFT, Noise(), planned=found)


def test_a_job_shop_is_solved_to_its_known_optimum():
    shop = job_shop(FT06, "ft06")
    there = problem(shop, shop.fleet)
    known, trace = solved(there)

    assert violations(there, trace) == []
    assert makespan(trace) == 55 < makespan(known)


def test_transfers_count():
    """Two of 4 and one of 1 on two devices; sending costs 10, so all that depends stays."""
    there = exact([(4, 4), (4, 4), (1, 1)], [(1, 2, 10), (1, 3, 10)])
    apart = (Execution(0, 0, 0.0, 4.0), Execution(1, 0, 4.0, 8.0), Execution(2, 1, 14.0, 15.0))
    _, trace = solved(there, apart)
    assert makespan(trace) == 9


def test_the_example_of_heft_is_improved():
    known, trace = solved(TOPCUOGLU)

    assert violations(TOPCUOGLU, trace) == []
    assert makespan(trace) < makespan(known) == 80


@settings(max_examples=15, deadline=None)
@given(there=problems())
def test_what_is_found_is_valid_and_lies_between_the_bound_and_what_was_known(there):
    known, trace = solved(there, limit_s=1.0)

    assert violations(there, trace) == []
    assert makespan(trace) <= makespan(known) * (1 + 1e-9)
    assert makespan(trace) >= lower_bound(there) * (1 - 1e-9)


def test_it_is_an_arm_of_the_race_where_it_may_search():
    shop = job_shop(FT06, "ft06")
    raced = race(World(shop, shop.fleet, seed=0, shelf=False, exact_s=10))

    assert [(e.case, e.makespan) for e in raced.outcomes if e.policy == EXACT] == [("sigma0", 55)]
