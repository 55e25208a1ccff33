"""Better plans, found beside the run: when one is looked for, which is taken, what stays."""

import pickle
from dataclasses import replace
from math import inf

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.chance import unit
from orchestrator.core.saved import SavedPlan
from orchestrator.core.scheduling import one_plan
from orchestrator.core.scheduling.adopted import adopted as adopted_plan
from orchestrator.core.scheduling.improvement import (
    BACK_OFF,
    FRONT,
    LEAST_S,
    LEAST_TASKS,
    ROUND_S,
    SAVED_S,
    TIMED_PER_S,
    solve,
)
from orchestrator.core.scheduling.outlook import Schedule, follow
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.survey import survey, unstarted
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Failed, FailureKind, RunId, Succeeded
from tests.orchestrator.core.scheduling.shelf.driving import limits, play
from tests.support.world import RUN, World, edge, task

SHARE = 0.005
NOTHING = Schedule(inf, (), (), ())


def a_world(*, share=SHARE, speeds=(1.0, 1.0, 2.0), **rest):
    world = World(
        policy=Policy.ONE_PLAN, tuning=Tuning(improve_cpu=share, hedge_budget=0.0), **rest
    )
    for n, speed in enumerate(speeds):
        world.device(f"d{n}", speed=speed)
    return world


def graph(count, *, seed=1, scale=1.0):
    """Layers of four, each task after two of the layer before; durations by chance."""
    tasks = [task(f"t{n}", estimate_s=scale * (1 + 9 * unit(seed, "s", n))) for n in range(count)]
    edges = {
        (n - 4 + (n + k * int(1 + 3 * unit(seed, "e", n))) % 4 - n % 4, n)
        for n in range(4, count)
        for k in range(2)
    }
    return [*tasks, *(edge(f"t{a}", f"t{b}") for a, b in sorted(edges))]


def problems(world):
    return [each.problem for each in world.ordered(c.ImprovePlan)]


def answer(world, problem, *, order=None, device=None):
    return world.tell(
        e.PlanImproved(
            problem.number, tuple(order or problem.order), tuple(device or problem.device)
        )
    )


def worsened(world):
    """Mean everything to go to one device, so that any other plan is better."""
    kept = world.engine.state.board.plan
    kept.intended = dict.fromkeys(kept.intended, DeviceId("d0"))
    kept.end += 1000.0


def solved(world, problem):
    found = solve(problem)
    return answer(world, problem, order=found.order, device=found.device)


def handed_out(count=20, *, scale=1.0, **rest):
    """A world with a run, and its first problem."""
    world = a_world(**rest)
    world.submit(*graph(count, scale=scale))
    (problem,) = problems(world)
    return world, problem


def test_a_long_plan_is_handed_out_with_its_share_of_search():
    world, problem = handed_out()
    assert len(problem.order) == 20 - len(world.offers)
    assert pickle.loads(pickle.dumps(problem)) == problem  # noqa: S301 - our own
    kept = follow(problem.outlook, problem.order, problem.device)
    assert kept.end == pytest.approx(world.engine.state.board.plan.end - world.at)
    paid_s = FRONT * kept.end + (1.0 - FRONT) * SAVED_S
    assert problem.timed == pytest.approx(SHARE * paid_s * TIMED_PER_S, abs=1)


@pytest.mark.parametrize(
    ("rest", "parts"),
    [
        ({"share": 0.0}, graph(20)),
        ({"share": 5e-6}, graph(20)),
        ({}, graph(LEAST_TASKS + 1)),
        ({}, graph(20, scale=LEAST_S / 100.0)),
        ({}, [replace(part, estimate_s=None) for part in graph(20) if hasattr(part, "skill")]),
    ],
    ids=["off", "poor", "few", "short", "no plan"],
)
def test_what_is_not_worth_a_search_is_not_handed_out(rest, parts):
    world = a_world(**rest)
    world.submit(*parts)
    assert not problems(world)


def test_the_runs_of_several_keep_their_turns():
    world, problem = handed_out()
    world.submit(task("other", estimate_s=60.0), run="other", limits=limits())
    assert solved(world, problem).facts == ()
    world.wait(60.0)
    world.beat("d0")
    assert problems(world) == [problem]


def test_one_problem_is_out_at_a_time_and_the_next_one_has_the_share_of_the_time_since():
    world, first = handed_out(40)
    world.wait(5.0)
    assert problems(world) == [first]
    answer(world, first)
    world.wait(0.0)
    (_, second) = problems(world)
    assert second.number == first.number + 1
    assert second.timed == int((1.0 - FRONT) * SHARE * 5.0 * TIMED_PER_S)


def under_way(**rest):
    """A run that nobody is about to end, and its first problem."""
    world, problem = handed_out(scale=100.0, **rest)
    for offer in list(world.offers.values()):
        world.start(offer.task)
    return world, problem


def next_one(world):
    """Wait for the next problem; return it, and how many rounds it was after the one before."""
    asked_at, known = world.engine.state.board.plan.asked_at, len(problems(world))
    while len(problems(world)) == known:
        world.wait(ROUND_S)
        for device in world.alive:
            world.beat(device)
    return problems(world)[-1], round((world.at - asked_at) / ROUND_S)


def fruitless(world, problem, times):
    """Answer so often with what there is; return the last problem, and how long each took."""
    rounds = []
    for _ in range(times):
        answer(world, problem)
        problem, waited = next_one(world)
        rounds.append(waited)
    return problem, rounds


def test_where_nothing_better_is_found_the_next_search_comes_after_four_times_as_long():
    world, problem = under_way()
    assert fruitless(world, problem, 3)[1] == [BACK_OFF, BACK_OFF**2, BACK_OFF**3]


def test_where_something_better_is_found_the_next_search_comes_soon():
    world, problem = under_way()
    problem, _ = fruitless(world, problem, 2)
    worsened(world)
    solved(world, problem)
    problem, rounds = next_one(world)
    assert (len(adopted(world)), rounds) == (1, 1)
    assert fruitless(world, problem, 1)[1] == [BACK_OFF]


def test_another_graph_is_searched_soon_whatever_was_found_before():
    world, problem = under_way()
    problem, _ = fruitless(world, problem, 2)
    answer(world, problem)
    edited(world)
    assert next_one(world)[1] == 1


def test_an_answer_for_another_graph_does_not_count_as_fruitless():
    world, problem = under_way()
    edited(world)
    answer(world, problem)
    assert next_one(world)[1] == 1


def adopted(world):
    return world.happened(f.PlanAdopted)


def intended(world):
    return {task: device for (_, task), device in world.engine.state.board.plan.intended.items()}


def test_a_better_plan_is_adopted_and_said():
    world, problem = handed_out()
    worsened(world)
    was = world.engine.state.board.plan.end
    solved(world, problem)
    (fact,) = adopted(world)
    assert (fact.run, fact.revision) == (RUN, 1)
    assert intended(world) == dict(zip(fact.order, fact.devices, strict=True))
    assert world.engine.state.board.plan.end <= was
    play(world)
    assert world.run().status == "succeeded"
    assert world.run().adopted is None


def test_what_has_started_meanwhile_is_left_out_of_it():
    world, problem = handed_out()
    before = {*intended(world)}
    play(world, until=15.0)
    started = before - {*intended(world)}
    assert started
    worsened(world)
    solved(world, problem)
    assert {*adopted(world)[0].order} == before - started


def test_what_may_start_by_the_new_plan_starts_at_once():
    world = a_world(speeds=(1.0, 1.0))
    names = [f"t{n}" for n in range(16)]
    world.submit(*(task(name, estimate_s=9.0) for name in names))
    (problem,) = problems(world)
    free = next(name for name, offer in world.offers.items() if offer.device == "d1")
    worsened(world)
    world.engine.state.board.plan.queues[DeviceId("d1")].clear()
    world.end(free, Succeeded(None), run_s=9.0)
    assert not world.held("d1")
    solved(world, problem)
    assert world.held("d1")


def test_a_plan_that_is_followed_as_it_was_made_is_not_given_up_for_what_may_be_late():
    """Something runs and is expected to be late; it may yet end as it was planned to."""
    world, problem = handed_out()
    end = world.engine.state.board.plan.end
    worsened(world)
    world.engine.state.board.plan.end = end
    assert answer(world, problem).facts == ()


def test_what_is_not_better_is_not_adopted():
    world, problem = handed_out()
    assert answer(world, problem).facts == ()
    assert answer(world, problem, device=[0] * len(problem.order)).facts == ()


def edited(world):
    world.edit(task("more", estimate_s=1.0))


def rerouted(world):
    """The same tasks, but one waits for another that may come later in a former plan."""
    world.edit(edge("t18", "t17"), edge("t19", "t18"))


def lost(world):
    world.tell(e.Unregistered(DeviceId("d1")))


def joined(world):
    world.device("d3")


def paused(world):
    world.tell(e.PauseRun(RUN))


def retried(world):
    """A task that had started is planned again."""
    name = next(iter(world.offers.values())).task
    world.finish(name, Failed(FailureKind.TRANSIENT, "again"))
    world.wait(1.0)
    assert name in {**intended(world), **{offer.task: 0 for offer in world.offers.values()}}


@pytest.mark.parametrize("moved", [edited, rerouted, lost, joined, paused, retried])
def test_a_plan_that_was_made_for_what_is_no_more_is_not_adopted(moved):
    world, problem = handed_out()
    moved(world)
    worsened(world)
    solved(world, problem)
    assert not adopted(world)


def test_an_answer_that_means_a_device_that_is_gone_is_not_adopted():
    """It was idle, so all that is planned is as it was."""
    world = a_world(speeds=(1.0,))
    world.device("idle", "other")
    world.submit(*graph(20))
    (problem,) = problems(world)
    world.tell(e.Unregistered(DeviceId("idle")))
    world.beat("d0")
    assert answer(world, problem, device=[1] * len(problem.order)).facts == ()


def test_an_answer_counts_once_and_only_for_the_last_problem():
    world, first = handed_out()
    worsened(world)
    solved(world, first)
    worsened(world)
    world.retell(e.PlanImproved(first.number, first.order, first.device))
    world.wait(3.0)
    assert problems(world)[-1].number == 2
    assert solved(world, first).facts == ()


@pytest.mark.parametrize("rows", [True, False])
def test_a_restart_goes_on_with_the_plan_that_was_adopted(rows, monkeypatch):
    """I11: it is not searched for again, nor is another one taken for it."""
    world, problem = handed_out()
    worsened(world)
    solved(world, problem)
    meant = intended(world)
    monkeypatch.setattr(one_plan, "portfolio", lambda *_: [NOTHING])
    monkeypatch.setattr(one_plan, "improve", lambda _, found, **__: found)
    world.restart(rows=rows)
    for device in ("d0", "d1", "d2"):
        world.beat(device, connected=True)
    assert intended(world) == meant
    world.settle()
    assert world.run().status == "succeeded"


@pytest.mark.parametrize("moved", [edited, rerouted, lost])
def test_what_was_adopted_for_another_revision_or_fleet_is_not_gone_on_with(moved):
    world, problem = handed_out()
    worsened(world)
    solved(world, problem)
    moved(world)
    world.beat("d0")
    run, board = world.run(), world.engine.state.board
    seen = survey(board, unstarted(run), world.at)
    assert list(adopted_plan(run, seen)) == []
    world.settle()
    assert world.run().status == "succeeded"


def test_a_saved_plan_of_a_run_that_is_forgotten_is_passed_over():
    world = a_world()
    left = f.PlanAdopted(RunId("gone"), 1, (), ())
    world.fold.restore([SavedPlan(left)])
    assert not world.fold.state.runs
