"""Every object is made of its source and of the objects that it needs."""

import hashlib

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

NEEDS = {
    "core": (),
    "net": ("core",),
    "store": ("core",),
    "ui": ("core", "net"),
    "app": ("net", "store", "ui"),
}


def built(world: World, module: str) -> str:
    """Return the object of a module."""
    text = world.given.text("laptop", f"src/{module}.src")
    text += "".join(built(world, other) for other in NEEDS[module])
    return f"{module}-{hashlib.sha256(text.encode()).hexdigest()}"


@each(*NEEDS)
def check_object(world: World, module: str) -> str | None:
    """The list has the object of the module."""
    rows = world.now.table("laptop", "built.csv")
    (told,) = (row["object"] for row in rows if row["module"] == module)
    return None if told == built(world, module) else f"it is {told}"


def check_installed(world: World) -> str | None:
    """The program is in place."""
    text = world.now.text("laptop", "app.obj").strip()
    return None if text == built(world, "app") else f"it is {text}"


def check_untouched(world: World) -> str | None:
    """Tools and sources are as they were."""
    return world.untouched()
