"""What somebody says of an ended run: kept, told, and of no other consequence."""

from dataclasses import replace

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.errors import RequestError, UnknownRunError
from tests.support.world import RUN, World, task

GOOD = e.VerdictGiven(RUN, 0.8, ("all is there", "slow"), "m")


def ended():
    world = World()
    world.device("d")
    world.submit(task("a"))
    world.do("a")
    return world


def test_a_verdict_is_a_fact_and_changes_nothing_else():
    world = ended()
    before = world.engine.snapshot(RUN)
    decision = world.tell(GOOD)
    judged = f.RunJudged(RUN, 0.8, ("all is there", "slow"), "m")
    assert decision.facts == (judged,)
    assert decision.commands == ()
    assert world.engine.snapshot(RUN) == replace(before, judged=judged)


def test_i12_the_same_verdict_again_changes_nothing_and_another_one_counts():
    world = ended()
    world.tell(GOOD)
    world.retell(GOOD)
    world.tell(replace(GOOD, score=0.1))
    assert world.engine.snapshot(RUN).judged.score == 0.1


@pytest.mark.parametrize("rows", [False, True])
def test_i11_a_verdict_survives_a_restart(rows):
    world = ended()
    world.tell(GOOD)
    world.restart(rows=rows)
    assert world.engine.snapshot(RUN).judged.reasons == ("all is there", "slow")


def test_a_run_that_goes_on_is_not_judged():
    world = World()
    world.submit(task("a"))
    with pytest.raises(RequestError, match="goes on"):
        world.tell(GOOD)


def test_a_run_that_is_not_there_is_not_judged():
    with pytest.raises(UnknownRunError):
        World().tell(GOOD)
