"""What is on a page that `http.get` brought."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from agents.skills import Skill, skill


@dataclass(frozen=True, slots=True)
class Page:
    """Its title, where it links to, each once and in order, and how many words it has."""

    url: str
    title: str
    links: Sequence[str]
    words: int


@skill("web.read")
async def read(url: str, body: str) -> Page:
    """Read a page of HTML; links are absolute."""
    seen = _Reader()
    seen.feed(body)
    links = dict.fromkeys(urljoin(url, each) for each in seen.links)
    return Page(url, seen.title.strip(), list(links), len(re.findall(r"\w+", seen.text)))


@skill("web.links")
async def links(pages: Sequence[Page]) -> Sequence[str]:
    """Return where pages link to, each once, in order, without the pages themselves."""
    known = {each.url for each in pages}
    return [each for each in dict.fromkeys(x for p in pages for x in p.links) if each not in known]


@dataclass
class _Reader(HTMLParser):
    """Takes in a page."""

    title: str = ""
    text: str = ""
    links: list[str] = field(default_factory=list)
    _within: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        else:
            self.text += f" {data}"


SKILLS: Final[Sequence[Skill]] = (read, links)
