"""Three shops with five pages of offers each; one answers every first request with an error."""

import json

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Serve the offers; a shop has an article once, and some have it at the same price."""
    offers, pages = [], []
    for shop in ("aldo", "bazaar", "corner"):
        articles = fixture.chance.sample(range(60), 40)
        for number in range(5):
            page = [
                {
                    "shop": shop,
                    "article": f"art-{article:02}",
                    "price": fixture.chance.randint(5, 12) * 10,
                    "stock": fixture.chance.choice((0, 1, 3, 20)),
                }
                for article in articles[number::5]
            ]
            offers += page
            path = f"{shop}/offers-{number}.json"
            fails = 1 if shop == "bazaar" else 0
            fixture.page(path, json.dumps(page), content_type="application/json", fails=fails)
            pages.append(f"{fixture.url}/{path}")
    fixture.page("shops.json", json.dumps({"pages": pages}), content_type="application/json")
    fixture.tell("offers", offers)
