"""The release is out, or blocked, as the tests say."""

from benchmarks.crossdevice.world import World


def tests(world: World, kind: str) -> list[str]:
    """Return the tests of a kind."""
    paths = world.given.files("laptop", "tests")
    texts = {path: world.given.text("laptop", path).strip() for path in paths}
    return sorted(path[6:-4] for path, text in texts.items() if text == kind)


def verdict(world: World) -> str:
    """Return the report that must be there."""
    many = len(tests(world, "broken")) > world.parameters["allowed"]
    return "blocked.md" if many else "release.md"


def check_verdict(world: World) -> str | None:
    """The right one of the two reports is there, and not the other."""
    there = [each for each in ("release.md", "blocked.md") if world.now.exists("laptop", each)]
    return None if there == [verdict(world)] else f"there is {there}, not {verdict(world)}"


def check_failed(world: World) -> str | None:
    """It lists the tests that fail always."""
    rows = world.now.report("laptop", verdict(world))["Failed"]
    told = sorted(row["output"] for row in rows)
    true = tests(world, "broken")
    return None if told == true else f"told {told}, but it is {true}"


def check_flaky(world: World) -> str | None:
    """It counts those that fail once."""
    (row,) = world.now.report("laptop", verdict(world))["Flaky"]
    true = len(tests(world, "flaky"))
    return None if int(row["count"]) == true else f"told {row}, but it is {true}"


def check_untouched(world: World) -> str | None:
    """Tests, tools and list are as they were."""
    return world.untouched()
