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

SEEDS: Final = 2  # with what follows, all worlds take some 13 minutes on two idle cores
TASKS: Final = 10_000
GENERATED: Final = 60  # tasks of a generated graph
EXACT_S: Final = 2
SHELF_TASKS: Final = 200  # in larger instances only those act that are always compared
QUICK_TASKS: Final = 60  # larger instances take most of the time
QUICK_EXACT_S: Final = 1
QUICK_SMALL: Final = (20, 4)
"""Tasks at most, and the only number of devices, of worlds where more than the usual arms act."""


@dataclass(frozen=True, slots=True)
class World:
    """In it everybody meets the same durations."""

    instance: Instance
    fleet: Fleet
    seed: int
    shelf: bool = True
    """Whether every policy acts, and not only those that are always compared."""
    exact_s: int = 0
    """How long CP-SAT may search; 0: it does not."""

    @property
    def devices(self) -> int:
        """Return how many there are."""
        return len(self.fleet.devices)

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return f"{self.instance.name}/{self.devices}/{self.seed}"


def worlds(options: Options) -> Iterator[World]:
    """Yield every world; an instance of one task, or without work, has nothing to schedule.

    Raises:
        BenchmarkError: an instance cannot be read, or two have one name.
    """
    seeds = range(options.seed, options.seed + options.settings.get("seeds", _seeds(options)))
    limit = options.settings.get("tasks", QUICK_TASKS if options.quick else TASKS)
    for instance in _instances(options):
        if 1 < len(instance.tasks) <= limit and any(task.work for task in instance.tasks):
            for devices in _sizes(instance):
                for seed in seeds:
                    fleet = instance.fleet or fleets.fleet(instance, devices, seed)
                    more = seed == options.seed and not (options.quick and _large(fleet, instance))
                    exact_s = _exact_s(options, instance) if more else 0
                    shelf = more and len(instance.tasks) <= SHELF_TASKS
                    yield World(instance, fleet, seed, shelf, exact_s)


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


def _seeds(options: Options) -> int:
    return 1 if options.quick else SEEDS


def _sizes(instance: Instance) -> tuple[int, ...]:
    return fleets.SIZES if instance.fleet is None else (len(instance.fleet.devices),)


def _large(fleet: Fleet, instance: Instance) -> bool:
    tasks, devices = QUICK_SMALL
    return len(instance.tasks) > tasks or len(fleet.devices) != devices


def _exact_s(options: Options, instance: Instance) -> int:
    if not optimum.installed() or len(instance.tasks) > optimum.TASKS:
        return 0
    return options.settings.get("exact", QUICK_EXACT_S if options.quick else EXACT_S)
