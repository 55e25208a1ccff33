from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import play, world_of
from tests.support.world import task


def test_runs_go_as_they_came_whatever_skill_their_tasks_want():
    world = world_of(Policy.FIFO)
    world.device("d", "work", "write")
    for n in range(8):
        skill = "write" if n in {3, 5} else "work"
        world.submit(task(f"t{n}", skill, estimate_s=1.0), run=f"run{n}")

    assert [span.task for span in play(world)] == [f"t{n}" for n in range(8)]
