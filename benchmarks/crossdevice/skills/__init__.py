"""What the devices of the suite can do: the built-in skills, and some with real work of their own.

| group | what it does |
| --- | --- |
| `files`, `text`, `table`, `http` | the built-in ones |
| `audit` | hashes and permissions of a tree |
| `build` | runs a Python program as a build or test step |
| `config` | applies, checks and takes back a configuration, versions kept |
| `db` | queries, changes, dumps and restores SQLite databases |
| `image` | thumbnails, grey pictures, histograms of PPM pictures |
| `model` | answers with a model that takes seconds to load, and is kept warm |
| `pack` | zips, verifies, and carries small files of any kind from device to device |
| `person`, `phone` | asks a person; says how the battery is |
| `web` | what is on a page: title, links, words |
| `work` | nothing but work, for large graphs |
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from agents import builtin
from agents.builtin.bounds import Roots
from agents.config import DeviceConfig
from agents.skills import Skill
from agents.warm.adapters import ResourceKind
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import Hardware
from benchmarks.crossdevice.skills import (
    audit,
    build,
    config,
    db,
    image,
    model,
    pack,
    person,
    phone,
    web,
    work,
)

__all__ = ["of", "resources"]


def of(settings: DeviceConfig, hardware: Hardware) -> Sequence[Skill]:
    """Return all that a device of the fleet can do, on its hardware."""
    groups = FLEET[settings.device.id].hardware.groups
    own = _own(Roots(settings.skills.roots), hardware)
    every = (
        *builtin.load(settings).values(),
        *(each for group in groups if group in own for each in own[group]()),
    )
    return hardware.emulate(each for each in every if each.info.name.partition(".")[0] in groups)


def _own(roots: Roots, hardware: Hardware) -> Mapping[str, Callable[[], Sequence[Skill]]]:
    """Return how the groups are made that are not built in; reading their contracts takes long."""
    on_files = {
        "audit": audit, "build": build, "config": config, "db": db, "image": image, "pack": pack
    }  # fmt: skip
    return {
        **{name: partial(each.skills, roots) for name, each in on_files.items()},
        "phone": partial(phone.skills, lambda: hardware.battery),
        "person": lambda: person.SKILLS,
        "model": lambda: model.SKILLS,
        "web": lambda: web.SKILLS,
        "work": lambda: work.SKILLS,
    }


def resources(settings: DeviceConfig) -> Mapping[str, ResourceKind]:
    """Return what a device of the fleet can keep warm."""
    if "model" not in FLEET[settings.device.id].hardware.groups:
        return {}
    return {"model": model.warm(Roots(settings.skills.roots))}
