"""The files with the token are the owner's alone, the others as they were."""

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

DEVICES = ("server-1", "server-2", "edge-1", "edge-2")


def leaky(world: World, device: str) -> list[str]:
    """Return the files of a device that have the token."""
    token = str(world.parameters["token"])
    return [path for path in world.given.files(device) if token in world.given.text(device, path)]


@each(*DEVICES)
def check_locked(world: World, device: str) -> str | None:
    """Every file of a device with the token has the permissions 600."""
    wrong = [p for p in leaky(world, device) if world.now.mode(device, p) != "600"]
    return f"not so: {wrong}" if wrong else None


def check_told(world: World) -> str | None:
    """The site was told how many there are on each device."""
    true = {device: len(leaky(world, device)) for device in DEVICES}
    told = world.sent().get("incidents/token")
    return None if told == true else f"told {told}, but it is {true}"


def check_content(world: World) -> str | None:
    """No file has another content."""
    for device in DEVICES:
        for path in world.given.files(device):
            if world.now.data(device, path) != world.given.data(device, path):
                return f"{path} of {device} has changed"
    return None


def check_else(world: World) -> str | None:
    """Other files have their permissions as before."""
    return world.untouched(*(f"{d}/{path}" for d in DEVICES for path in leaky(world, d)))
