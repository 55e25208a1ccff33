"""A site of three levels, with links to what is gone."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Serve the pages; a broken link that only the third level has is not asked for."""
    chance = fixture.chance
    links: dict[str, list[str]] = {"index.html": [f"a/{n}.html" for n in range(14)]}
    deep = [f"../b/{n}.html" for n in range(20)]
    for n in range(14):
        links[f"a/{n}.html"] = [*chance.sample(deep, 4), f"{chance.randrange(14)}.html"]
    for n in range(20):
        links[f"b/{n}.html"] = [f"../c/{n}.html"]  # the third level is not there at all
    status = dict.fromkeys(chance.sample(sorted(links)[:-1], 6), 410)
    status["index.html"] = 200
    links["a/3.html"].append("/nobody/here.html")
    for path, targets in links.items():
        gone = status.get(path, 200) != 200
        text = "".join(f'<p>See <a href="{each}">this</a></p>' for each in targets)
        body = "gone" if gone else f"<html><title>{path}</title><body>{text}</body></html>"
        fixture.page(path, body, status=status.get(path, 200))
    fixture.tell("links", {path: links[path] for path in links if status.get(path, 200) == 200})
    fixture.tell("gone", [path for path in status if status[path] != 200])
    fixture.tell("url", fixture.url)
