"""The report has the photos that are too dark or too bright, and the mean of all."""

from pathlib import PurePosixPath
from statistics import fmean

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

HEADER = len(b"P6\n24 16\n255\n")
NEAR = 0.01


@each("Dark", "Bright")
def check_table(world: World, heading: str) -> str | None:
    """The table has the photos that are so, with their brightness."""
    rows = world.now.report("laptop", "exposure.md").get(heading, ())
    told = {PurePosixPath(row["path"]).name: float(row["mean"]) for row in rows}
    dark, bright = (float(str(world.parameters[name])) for name in ("dark", "bright"))
    true = {
        name: mean
        for name, mean in brightness(world).items()
        if (mean < dark if heading == "Dark" else mean > bright)
    }
    if told.keys() != true.keys():
        return f"told {sorted(told)}, but it is {sorted(true)}"
    wrong = [name for name in told if abs(told[name] - true[name]) > NEAR]
    return f"another brightness: {wrong}" if wrong else None


def check_all(world: World) -> str | None:
    """The number and the mean of all photos are right."""
    (row,) = world.now.report("laptop", "exposure.md")["All"]
    true = brightness(world).values()
    fine = int(row["photos"]) == len(true) and abs(float(row["mean"]) - fmean(true)) < NEAR
    return None if fine else f"told {row}, but it is {len(true)}, {fmean(true)}"


def check_untouched(world: World) -> str | None:
    """The photos are as they were."""
    return world.untouched()


def brightness(world: World) -> dict[str, float]:
    """Return the mean of each photo."""
    return {
        PurePosixPath(path).name: fmean(world.given.data("server-1", path)[HEADER:])
        for path in world.given.files("server-1", "photos")
    }
