"""The table has the sums of both quarters, and the archive the table."""

import io
import zipfile
from collections import Counter

from benchmarks.crossdevice.world import World


def sums(world: World, column: str) -> Counter[str]:
    """Add up a column of both quarters by product."""
    found: Counter[str] = Counter()
    for path in world.given.files("server-1"):
        if path.endswith(("q1.csv", "q2.csv")):
            for row in world.given.table("server-1", path):
                found[row["product"]] += int(row[column])
    return found


def selling(world: World) -> set[str]:
    """Return the products that sell."""
    least = int(str(world.parameters["least"]))
    return {product for product, pieces in sums(world, "pieces").items() if pieces > least}


def compare(world: World, column: str, true: Counter[str]) -> str | None:
    """Hold a column of the table to what is true of the products that sell."""
    rows = world.now.table("laptop", "half.csv")
    told = {row["product"]: int(row[column]) for row in rows}
    wanted = {product: true[product] for product in selling(world)}
    same = len(rows) == len(told) and told == wanted
    return None if same else f"told {told}, but it is {wanted}"


def check_sold(world: World) -> str | None:
    """Every product that sells has its pieces."""
    return compare(world, "sold", sums(world, "pieces"))


def check_revenue(world: World) -> str | None:
    """Every product that sells has its revenue."""
    return compare(world, "revenue", sums(world, "amount"))


def check_zip(world: World) -> str | None:
    """The archive has the table as it is, and nothing else."""
    with zipfile.ZipFile(io.BytesIO(world.now.data("laptop", "half.zip"))) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    return (
        None if parts == [world.now.data("laptop", "half.csv")] else f"it has {len(parts)} files"
    )


def check_else(world: World) -> str | None:
    """Nothing was changed."""
    return world.untouched()
