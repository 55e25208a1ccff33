"""Four mirrors of eight files; one of them has another line in one of them."""

import json

from benchmarks.crossdevice.fixture import Fixture

MIRRORS = "north", "south", "east", "west"


def make(fixture: Fixture) -> None:
    """Serve the files, by their number, in an order that is the same for all mirrors."""
    chance = fixture.chance
    order = chance.sample(range(8), 8)
    lines = {n: [f"{n}: {chance.randrange(10**9)}" for _ in range(12)] for n in order}
    odd, where = chance.choice(MIRRORS), chance.choice(order)
    served: dict[str, list[str]] = {}
    for mirror in MIRRORS:
        for n in order:
            text = list(lines[n])
            if (mirror, n) == (odd, where):
                text[chance.randrange(12)] += " and more"
            path = f"{mirror}/file-{n}.txt"
            fixture.page(path, "\n".join(text) + "\n", content_type="text/plain")
            served.setdefault(mirror, []).extend(text)
    index = {each: [f"{fixture.url}/{each}/file-{n}.txt" for n in order] for each in MIRRORS}
    fixture.page("mirrors.json", json.dumps(index), content_type="application/json")
    fixture.tell("served", served)
    fixture.tell("odd", odd)
