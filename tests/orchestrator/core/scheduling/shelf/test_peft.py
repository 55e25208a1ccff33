from orchestrator.core.scheduling.shelf import peft
from tests.orchestrator.core.scheduling.outlooks import outlook
from tests.orchestrator.core.scheduling.shelf.papers import ARABNEJAD, ONE_RUN


def test_the_schedule_is_as_long_as_the_paper_says():
    """Section 4: PEFT 122, HEFT 133."""
    assert peft.schedule(ARABNEJAD, ONE_RUN).end == 122


def test_a_task_goes_where_the_rest_of_the_work_is_quick():
    """First 2 or 3 s, then 20 or 1 s, and 10 s between them: 4 s on the second device, else 13."""
    found = peft.schedule(outlook([(2, 3), (20, 1)], [(0, 1, 10)]), (0, 0))
    assert (found.device, found.end) == ([1, 1], 4)
