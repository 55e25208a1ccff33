"""Which worlds are run: an instance, a fleet and a seed each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.frame import BenchmarkError, Options
from benchmarks.scheduling import fleets, optimum
from benchmarks.scheduling.generators import GENERATORS
from benchmarks.scheduling.instances import InstanceError, public
from benchmarks.scheduling.model import Fleet, Instance
from benchmarks.scheduling.reading import load_all
from benchmarks.scheduling.recipes import recipes

SEEDS: Final = 2  # with what follows, all worlds take an hour and a half on two cores
ONCE: Final = 200  # tasks from which on one seed is all; as it is where fleets are clusters
TASKS: Final = 10_000
GENERATED: Final = 60  # tasks of a generated graph
EXACT_S: Final = 10
SHELF_TASKS: Final = 200  # in larger instances only those act that are always compared
QUICK_TASKS: Final = 60  # larger instances take most of the time
QUICK_EXACT_S: Final = 1
OWN: Final = "own"
"""The fleet that an instance comes with."""
QUICK_CLUSTER: Final = (8,)  # devices
QUICK_SMALL: Final = (20, 4)
"""Tasks at most, and the only number of devices, of worlds where more than the usual arms act."""


@dataclass(frozen=True, slots=True)
class World:
    """In it everybody meets the same durations."""

    instance: Instance
    fleet: Fleet
    seed: int
    kind: str = OWN
    """Of the fleet: a name of `FLEETS`, or `OWN`."""
    shelf: bool = True
    """Whether every policy acts, and not only those that are always compared."""
    exact_s: int = 0
    """How long CP-SAT may search; 0: it does not."""

    @property
    def devices(self) -> int:
        """Return how many there are."""
        return len(self.fleet.devices)

    @property
    def ccr(self) -> float | None:
        """Return the ratio of communication to computation, if it was drawn."""
        unrelated = self.kind in fleets.FLEETS and self.kind != fleets.CLUSTER
        return fleets.drawn_ccr(self.instance, self.devices, self.seed) if unrelated else None

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return f"{self.instance.name}/{self.kind}/{self.devices}/{self.seed}"


def worlds(options: Options) -> Iterator[World]:
    """Yield every world; an instance of one task, or without work, has nothing to schedule.

    Raises:
        BenchmarkError: an instance cannot be read, or two have one name.
    """
    limit = options.settings.get("tasks", QUICK_TASKS if options.quick else TASKS)
    for instance in _instances(options):
        if 1 < len(instance.tasks) <= limit and any(task.work for task in instance.tasks):
            for kind, seed, fleet in _fleets(options, instance):
                more = kind != fleets.CLUSTER and seed == options.seed
                more &= not (options.quick and _large(fleet, instance))
                exact_s = _exact_s(options, instance) if more else 0
                shelf = more and len(instance.tasks) <= SHELF_TASKS
                yield World(instance, fleet, seed, kind, shelf, exact_s)


def _fleets(options: Options, instance: Instance) -> Iterator[tuple[str, int, Fleet]]:
    """Yield kind, seed and fleet; an instance that comes with its own has no other."""
    own = instance.fleet
    draws = fleets.FLEETS if own is None else {OWN: lambda *_: own}
    for kind, draw in draws.items():
        sizes = fleets.SIZES if own is None else (len(own.devices),)
        if options.quick and kind == fleets.CLUSTER:
            sizes = QUICK_CLUSTER
        for devices in sizes:
            for seed in range(options.seed, options.seed + _seeds(options, instance, kind)):
                yield kind, seed, draw(instance, devices, seed)


def _instances(options: Options) -> list[Instance]:
    """Return those that are asked for: the public ones, and one of each generator, unless told."""
    tasks = options.settings.get("recipes")
    try:
        if "instances" in options.paths:
            found = load_all(options.paths["instances"])
        elif tasks is not None:
            found = list(recipes(tasks, options.seed))
        else:
            made = (make(GENERATED, options.seed) for make in GENERATORS.values())
            found = [*public(), *made]
    except InstanceError as error:
        raise BenchmarkError(str(error)) from error
    names = [each.name for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BenchmarkError(f"two instances are called {twice[0]!r}")
    return found


def _seeds(options: Options, instance: Instance, kind: str) -> int:
    once = options.quick or kind == fleets.CLUSTER or len(instance.tasks) >= ONCE
    return options.settings.get("seeds", 1 if once else SEEDS)


def _large(fleet: Fleet, instance: Instance) -> bool:
    tasks, devices = QUICK_SMALL
    return len(instance.tasks) > tasks or len(fleet.devices) != devices


def _exact_s(options: Options, instance: Instance) -> int:
    if not optimum.installed() or len(instance.tasks) > optimum.TASKS:
        return 0
    return options.settings.get("exact", QUICK_EXACT_S if options.quick else EXACT_S)
