"""Equal parts over devices that differ: all done when the best division is, or within one part.

With o the time until a device is free and s what a part takes there, N parts take the least T at
which `sum(max(0, floor((T - o) / s)))` is N (FedCompass: Li et al., ICLR 2024, section 3).
"""

from heapq import heapify, heapreplace

import pytest

from orchestrator.core.model import ForEach
from orchestrator.core.scheduling.policies import Policy
from protocol.types import Succeeded
from tests.orchestrator.core.scheduling.shelf.driving import drawn, limits, play
from tests.support.world import World, edge, task

PART_S = 4.0  # on a device of speed 1


def least_s(count, devices):
    """Return T for (o, s) of each device: the end of the last of so many parts."""
    ends = [(free_s + part_s, part_s) for free_s, part_s in devices]
    heapify(ends)
    for _ in range(count - 1):
        end, part_s = ends[0]
        heapreplace(ends, (end + part_s, part_s))
    return ends[0][0]


def fan_out(world, count):
    """Expand a task over so many items; return its parts as they ran."""
    parts = task("part", for_each=ForEach({"$from": "list"}), estimate_s=PART_S)
    world.submit(task("list", "list"), parts, edge("list", "part"), limits=limits())
    world.finish("list", Succeeded(list(range(count))))
    spans = [span for span in play(world) if span.task.startswith("part[")]
    assert len(spans) == count
    return spans


@pytest.mark.parametrize("policy", [Policy.ONE_PLAN, Policy.EARLIEST_FINISH])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_wide_fan_out_ends_within_one_part_of_the_best_division(policy, seed, busy):
    speeds = [drawn(seed, n, 1, 40) / 10.0 for n in range(7)]
    free_s = [float(drawn(seed, 50 + n, 0, 20)) * busy for n in range(7)]
    world = World(policy=policy, checked=False)
    world.device("lister", "list")
    for n, speed in enumerate(speeds):
        world.device(f"d{n}", "work", f"own{n}", speed=speed)
        if free_s[n]:
            own = task(f"own{n}", f"own{n}", estimate_s=free_s[n] * speed)
            world.submit(own, run=f"own{n}", limits=limits())
    last = max(fan_out(world, 60), key=lambda span: span.end)
    best_s = least_s(60, [(o, PART_S / v) for o, v in zip(free_s, speeds, strict=True)])
    one_part_s = last.end - last.start
    slack_s = 0.01 * best_s if policy is Policy.ONE_PLAN else one_part_s
    assert best_s - 1e-6 <= last.end <= best_s + slack_s
