"""A manual of eight pages in four languages; in French or Italian a page is not there yet."""

import json

from benchmarks.crossdevice.fixture import Fixture

WORDS = {
    "en": ("switch", "lamp", "press", "wait"),
    "de": ("Schalter", "Lampe", "drücken", "warten"),
    "fr": ("bouton", "lampe", "presser", "attendre"),
    "it": ("tasto", "lampada", "premere", "attendere"),
}


def make(fixture: Fixture) -> None:
    """Serve the pages and their index, in the order of the manual and not of their names."""
    order = list(range(1, 9))
    fixture.chance.shuffle(order)
    gap = fixture.chance.choice(("fr", "it")), fixture.chance.choice(order)
    pages = {}
    for language, words in WORDS.items():
        for number in order:
            text = " ".join(fixture.chance.choices(words, k=30)) + f" [{language} {number}]\n"
            pages[language, number] = text
            if (language, number) == gap:
                text, status = "not translated yet", 404
            else:
                status = 200
            path = f"manual/{language}/{number}.txt"
            fixture.page(path, text, content_type="text/plain; charset=utf-8", status=status)
    index = {each: [f"{fixture.url}/manual/{each}/{n}.txt" for n in order] for each in WORDS}
    fixture.page("manual/index.json", json.dumps(index), content_type="application/json")
    for language in WORDS:
        source = "en" if language == gap[0] else language
        fixture.tell(language, [pages[source, number].strip() for number in order])
