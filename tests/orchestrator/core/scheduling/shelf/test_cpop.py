from math import inf

from orchestrator.core.scheduling.shelf import cpop
from tests.orchestrator.core.scheduling.outlooks import outlook
from tests.orchestrator.core.scheduling.shelf.papers import ONE_RUN, TOPCUOGLU, gantt


def test_the_schedule_is_that_of_the_paper():
    assert gantt(cpop.schedule(TOPCUOGLU, ONE_RUN)) == [
        *((2, 16), (2, 35), (1, 39), (3, 42), (2, 48)),
        *((3, 51), (1, 46), (3, 68), (2, 77), (2, 86)),
    ]


def test_the_critical_path_stays_on_the_device_that_does_all_of_it_in_the_least_time():
    """Each of the chain is quicker on its own device, but all of it is quickest on the third."""
    costs = [(1, 9, 3), (9, 1, 3), (1, 9, 3), (1, 9, 3)]
    found = cpop.schedule(outlook(costs, [(0, 1, 1), (1, 2, 1)]), (0,) * 4)
    assert found.device[:3] == [2, 2, 2]
    assert found.device[3] == 0


def test_a_path_that_no_device_can_do_alone_is_spread():
    found = cpop.schedule(outlook([(1, inf), (inf, 1)], [(0, 1, 1)]), (0, 0))
    assert found.device == [0, 1]
