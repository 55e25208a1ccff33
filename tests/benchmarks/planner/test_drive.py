import pytest

from benchmarks.planner.arms import ARMS, CALLS, REPAIRS
from benchmarks.planner.drive import THINKS_S, Cell, _Driving, outcomes
from benchmarks.planner.requests import cases
from orchestrator.planner.mistakes import Mistake
from orchestrator.planner.scripted import FalliblePlanner

pytestmark = pytest.mark.timeout(120)  # each arm works through 42 requests
COUNT = 42


@pytest.fixture(scope="module")
def found():
    """Every arm with a planner that errs in half of the requests."""
    return {arm: outcomes(Cell(arm, 50, 0, COUNT)) for arm in ARMS}


def rate(outcomes):
    return sum(each.success for each in outcomes) / len(outcomes)


def test_every_arm_has_the_same_requests_and_mistakes(found):
    told = {
        arm: [(each.number, each.category, each.mistakes) for each in those]
        for arm, those in found.items()
    }
    assert [each[0] for each in told["none"]] == list(range(COUNT))
    assert all(each == told["none"] for each in told.values())
    assert 10 < sum(bool(each.mistakes) for each in found["none"]) < 32


@pytest.mark.parametrize("arm", sorted(ARMS))
def test_an_arm_does_what_it_may_and_no_more(found, arm):
    for each in found[arm]:
        repairs = ARMS[arm].repairs
        assert 1 <= each.calls <= (1 + repairs) * (1 + each.revisions) <= CALLS
        assert each.revisions <= ARMS[arm].revisions
        assert (each.accepted_first is None) == (not ARMS[arm].checks)
        assert each.tokens > 0
        assert each.latency_s >= THINKS_S * each.calls
        assert bool(each.rules) == (each.calls > 1)


def test_repair_helps_and_checks_alone_do_not(found):
    assert rate(found["repair"]) >= 0.9 > rate(found["none"])
    assert rate(found["full"]) >= rate(found["repair"])
    assert rate(found["checks"]) <= rate(found["none"])


def test_right_plans_are_taken_and_succeed_in_every_arm_but_those_that_are_late(found):
    for arm in ("none", "checks", "repair", "full"):
        for each in found[arm]:
            if not each.mistakes:
                assert (each.success, each.completed, each.calls) == (True, 1.0, 1)
    lost = [each for each in found["sequential"] if not each.mistakes and not each.success]
    assert lost
    assert all("deadline" in each.reason for each in lost)


def test_a_world_that_stops_makes_everybody_wait(found):
    pairs = zip(found["full"], found["stop_world"], strict=True)
    right = [(one, other) for one, other in pairs if not one.mistakes]
    assert all(other.latency_s >= one.latency_s for one, other in right)
    assert sum(other.latency_s for _, other in right) > 1.1 * sum(
        one.latency_s for one, _ in right
    )


def test_a_cell_comes_out_the_same_again(found):
    assert outcomes(Cell("full", 50, 0, COUNT)) == found["full"]


class _Erring(_Driving):
    """A cell whose planner makes one kind of mistake, always."""

    def __init__(self, arm, mistake, count, category):
        every = [case for case in cases(0, count) if category in (None, case.category)]
        super().__init__(Cell(arm, 100, 0, count), every)
        plans = {case.text: case.plan for case in self._cases}
        self._erring = FalliblePlanner(
            lambda request: plans[request.request], wrong=1.0, mistakes=[mistake], delay_s=THINKS_S
        )
        self._ladder._planner = self._erring


async def erring(arm, mistake, count=14, category=None):
    found = await _Erring(arm, mistake, count, category).all()
    return [each for each in found if each.mistakes]


SEEN = [
    Mistake.UNKNOWN_DEVICE,
    Mistake.WRONG_SKILL,
    Mistake.DUPLICATE,
    Mistake.CYCLE,
    Mistake.MALFORMED,
    Mistake.TOO_SHORT,
    Mistake.MALFORMED_TEXT,
    Mistake.LOST_LITERAL,
]


@pytest.mark.parametrize("mistake", SEEN)
async def test_what_the_checks_see_is_mended_in_one_round(mistake):
    found = await erring("repair", mistake)
    assert found
    assert all(each.success for each in found)
    assert {each.calls for each in found} <= {1, 2}
    assert any(not each.success for each in await erring("none", mistake))


@pytest.mark.parametrize("mistake", [Mistake.DUPLICATE_WORK, Mistake.NEEDLESS_DEPENDENCY])
async def test_what_does_no_harm_is_right_without_checks(mistake):
    assert all(each.success for each in await erring("none", mistake))


async def test_what_no_reason_names_uses_up_the_rounds_and_ends_with_reasons():
    found = await erring("repair", Mistake.WRONG_SOURCE, 28)
    refused = [each for each in found if each.reason.startswith("no plan: ")]
    assert refused
    assert {each.calls for each in refused} == {1 + REPAIRS}


async def test_a_failure_at_run_time_brings_a_new_plan_that_is_right():
    found = await erring("full", Mistake.CHANGED_LITERAL, 70)
    mended = [each for each in found if each.revisions and each.success]
    assert mended
    assert {each.completed for each in mended} == {1.0}
    without = {each.number: each for each in await erring("repair", Mistake.CHANGED_LITERAL, 70)}
    assert not any(without[each.number].success for each in mended)


async def test_a_file_that_is_not_there_is_told_as_a_wrong_argument():
    found = await erring("full", Mistake.CHANGED_LITERAL, 210, "refresh")
    mended = [each for each in found if each.revisions]
    assert mended
    assert all(each.success and "arguments" in each.rules for each in mended)


async def test_what_nothing_told_at_run_time_can_mend_ends_with_the_reason():
    found = await erring("full", Mistake.SWAPPED, 28)
    failed = [each for each in found if each.status == "failed"]
    assert failed
    assert all("the planner has no other plan" in each.reason for each in failed)


def test_one_at_a_time_ends_later(found):
    pairs = zip(found["full"], found["sequential"], strict=True)
    joins = [(one, other) for one, other in pairs if one.category == "join" and one.success]
    assert all(other.latency_s > one.latency_s for one, other in joins)
