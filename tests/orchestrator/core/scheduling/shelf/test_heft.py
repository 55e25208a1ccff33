import pytest

from orchestrator.core.scheduling.shelf import heft
from orchestrator.core.scheduling.shelf.common.planned import upward
from tests.orchestrator.core.scheduling.shelf.papers import ARABNEJAD, ONE_RUN, TOPCUOGLU, gantt


def test_the_schedule_is_that_of_the_paper():
    assert gantt(heft.schedule(TOPCUOGLU, ONE_RUN)) == [
        *((3, 9), (1, 40), (3, 28), (2, 26), (3, 38)),
        *((2, 42), (3, 49), (1, 62), (2, 68), (2, 80)),
    ]


def test_upward_ranks_are_those_of_the_paper():
    ranks = [108.0, 77.0, 80.0, 80.0, 69.0, 63.333, 42.667, 35.667, 44.333, 14.667]
    assert upward(TOPCUOGLU) == pytest.approx(ranks, abs=1e-3)


def test_another_example_is_as_long_as_its_paper_says():
    assert heft.schedule(ARABNEJAD, ONE_RUN).end == 133
