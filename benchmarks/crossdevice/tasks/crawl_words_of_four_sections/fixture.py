"""Four sections of fourteen pages each; some are drafts."""

import json

from benchmarks.crossdevice.fixture import Fixture

SECTIONS = "blog", "docs", "news", "shop"
WORDS = ("river", "stone", "lamp", "seven", "quick", "Zürich", "b2b", "paper")


def make(fixture: Fixture) -> None:
    """Serve the pages."""
    counts: dict[str, list[int]] = {each: [] for each in SECTIONS}
    index: dict[str, list[str]] = {each: [] for each in SECTIONS}
    for section in SECTIONS:
        for number in range(14):
            draft = fixture.chance.random() < 0.25 and number > 0
            words = fixture.chance.choices(WORDS, k=fixture.chance.randint(20, 90))
            half = len(words) // 2
            body = f"<p>{' '.join(words[:half])}</p><p>{', '.join(words[half:])}.</p>"
            title = f"{'Draft of ' if draft else ''}{section} {number}"
            path = f"{section}/{number}.html"
            fixture.page(path, f"<html><title>{title}</title><body>{body}</body></html>")
            index[section].append(f"{fixture.url}/{path}")
            if not draft:
                counts[section].append(len(words))
    fixture.page("sitemap.json", json.dumps(index), content_type="application/json")
    fixture.tell("counts", counts)
