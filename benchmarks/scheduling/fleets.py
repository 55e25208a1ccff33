"""Heterogeneous fleets by seed.

Speeds and bandwidths spread log-uniformly over a factor of 4 around 1 and around what the
instance's own network has at the median; where nothing is known of that, 100 (MiB/s, as in the
middle of what Estee's authors measured with). A link has one bandwidth in both directions.
"""

import random
from typing import Final

from benchmarks.scheduling.model import Device, Fleet, Instance

SIZES: Final = (4, 8, 16)
BANDWIDTH: Final = 100.0
SPREAD: Final = 2.0  # from a half to the double


def fleet(instance: Instance, devices: int, seed: int) -> Fleet:
    """Draw a fleet of devices that know every skill and take one task at a time."""
    chance = random.Random(f"fleet/{instance.name}/{devices}/{seed}")
    made = tuple(Device(speed=_spread(chance)) for _ in range(devices))
    median = instance.bandwidth or BANDWIDTH
    links = [[median] * devices for _ in range(devices)]
    for a in range(devices):
        for b in range(a):
            links[a][b] = links[b][a] = median * _spread(chance)
    return Fleet(made, tuple(map(tuple, links)))


def _spread(chance: random.Random) -> float:
    return float(SPREAD ** chance.uniform(-1.0, 1.0))
