"""Heterogeneous fleets by seed. Devices know every skill and take one task at a time.

`unrelated` is what laptops, phones, edge boxes and GPU hosts are, and nearer to what the field's
papers schedule on: a device that is quick at one skill need not be at another, and transfers
count. Speeds, and what each device makes of each skill beside its speed, spread log-uniformly over
a factor of 4 each (papers vary each task on each device; one instance in five has one skill, so
that devices are related there). Links are so slow that a mean transfer at the mean bandwidth takes
`CCR` times as long as a mean task, where `CCR` is drawn from the grid of Topcuoglu, Hariri, Wu
(2002, section 5).

`related` is a cluster: devices differ in speed alone, over a factor of 4, and bandwidths spread as
much around what the instance's own network has at the median; where nothing is known of that, 100
(MiB/s, as in the middle of what Estee's authors measured with). Transfers hardly count there.

A link has one bandwidth in both directions.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from benchmarks.scheduling.model import Device, Fleet, Instance, problem

SIZES: Final = (4, 8, 16)
BANDWIDTH: Final = 100.0
SPREAD: Final = 2.0  # from a half to the double
CCR: Final = (0.1, 0.5, 1.0, 5.0, 10.0)
"""Communication to computation ratios."""

Draw: TypeAlias = Callable[[Instance, int, int], Fleet]
"""An instance, how many devices, and the seed."""


def related(instance: Instance, devices: int, seed: int) -> Fleet:
    """Draw devices of different speeds, on the links of the instance's author."""
    chance = random.Random(f"fleet/{instance.name}/{devices}/{seed}")
    made = tuple(Device(speed=_spread(chance)) for _ in range(devices))
    median = instance.bandwidth or BANDWIDTH
    links = [[median] * devices for _ in range(devices)]
    for a in range(devices):
        for b in range(a):
            links[a][b] = links[b][a] = median * _spread(chance)
    return Fleet(made, tuple(map(tuple, links)))


def unrelated(instance: Instance, devices: int, seed: int) -> Fleet:
    """Draw devices that each have skills of their own, on links of the drawn CCR."""
    chance = random.Random(f"unrelated/{instance.name}/{devices}/{seed}")
    fleet = related(instance, devices, seed)
    skilled = tuple(
        replace(each, paces={skill: _spread(chance) for skill in instance.skills})
        for each in fleet.devices
    )
    there = problem(instance, replace(fleet, devices=skilled))
    ccr = drawn_ccr(instance, devices, seed)
    if ccr is None:
        return there.fleet
    transfer = sum(there.mean_transfer(edge.size) for edge in instance.edges)
    cost = sum(there.mean_costs)
    slower = ccr * (cost / len(instance.tasks)) / (transfer / len(instance.edges))
    links = tuple(tuple(rate / slower for rate in row) for row in fleet.bandwidth)
    return Fleet(skilled, links)


def drawn_ccr(instance: Instance, devices: int, seed: int) -> float | None:
    """Return the CCR of an unrelated fleet; None where no data is sent."""
    if not any(edge.size for edge in instance.edges):
        return None
    return random.Random(f"ccr/{instance.name}/{devices}/{seed}").choice(CCR)


CLUSTER: Final = "related"
FLEETS: Mapping[str, Draw] = {"unrelated": unrelated, CLUSTER: related}
"""Kinds of fleets by name. Figures of clusters have their name in front, and no goals."""


def _spread(chance: random.Random) -> float:
    return float(SPREAD ** chance.uniform(-1.0, 1.0))
