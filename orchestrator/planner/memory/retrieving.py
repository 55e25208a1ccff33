"""Which known works are like a request: cosine of TF-IDF vectors.

Manning, Raghavan & Schütze 2008, sections 6.2 to 6.4: a word counts by how often it is said (as
1 + ln tf) and by how few phrases have it (as ln((1 + N) / (1 + df)) + 1). A work is as similar as
the most similar of its phrases. Deviations: parameters are left out of phrases; a word that no
phrase has counts as one that all have, since it is most likely a value; words that are in requests
of any kind do not count (`words`).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.planner.memory.outlines import clipped, outline
from orchestrator.planner.memory.words import telling
from orchestrator.planner.memory.works import Work
from orchestrator.planner.playbook.plan import Playbook

THRESHOLD: Final = 0.45  # chosen on the playbooks in the box: others got up to 0.41, asked 0.53 on
OFFERED: Final = 3
_PARAMETER: Final = re.compile(r"\{\w+\}|\(\?P<\w+>[^)]*\)|\[secret-\d+\]")


class Source(StrEnum):
    """Where a work comes from; where two are as similar, the first of these is better."""

    PLAYBOOK = "playbook"
    CANDIDATE = "candidate"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Known:
    """Something that was done, or can be."""

    source: Source
    name: str
    phrases: tuple[str, ...]
    outline: str
    skills: tuple[str, ...]

    @classmethod
    def of_playbook(cls, playbook: Playbook, source: Source = Source.PLAYBOOK) -> "Known":
        """Return a playbook or candidate."""
        part = playbook.part
        phrases = (p if isinstance(p, str) else p.regex.replace("\\", "") for p in part.match)
        skills = tuple(dict.fromkeys(task.skill for task in part.tasks))
        return cls(source, part.name, (*phrases, part.name), outline(part), skills)

    @classmethod
    def of_work(cls, work: Work) -> "Known":
        """Return a candidate, or the run that a work has only one of."""
        source = Source.CANDIDATE if len(work.samples) > 1 else Source.RUN
        known = cls.of_playbook(work.candidate().playbook, source)
        said = (each.request for each in work.samples)
        return cls(source, work.name, (*said, *known.phrases), known.outline, known.skills)


@dataclass(frozen=True, slots=True)
class Found:
    """A work that is like the request."""

    similarity: float
    """0 to 1."""
    phrase: str
    """What it was compared by."""
    known: Known

    @property
    def line(self) -> str:
        """The work as an example."""
        return clipped(
            f"Done before ({self.known.source}) for {self.phrase!r}: {self.known.outline}"
        )


def ranked(
    request: str,
    known: Iterable[Known],
    *,
    threshold: float = THRESHOLD,
    limit: int = OFFERED,
) -> tuple[Found, ...]:
    """Return the most similar works, best first; none below the threshold. O(all phrases)."""
    works = list(known)
    vectors = [[(phrase, _words(phrase)) for phrase in each.phrases] for each in works]
    shares = Counter(word for each in vectors for _, words in each for word in words)
    idf = _Idf(sum(map(len, vectors)), shares)
    asked = idf.vector(_words(request))
    found = [
        max(
            (Found(_cosine(asked, idf.vector(words)), phrase, work) for phrase, words in each),
            key=lambda found: found.similarity,
        )
        for work, each in zip(works, vectors, strict=True)
        if each
    ]
    order = list(Source)
    found.sort(key=lambda f: (-f.similarity, order.index(f.known.source), f.known.name))
    return tuple(each for each in found if each.similarity >= threshold)[:limit]


@dataclass(frozen=True, slots=True)
class _Idf:
    phrases: int
    shares: Mapping[str, int]

    def vector(self, words: Mapping[str, int]) -> Mapping[str, float]:
        """Return weights of length 1."""
        weights = {word: (1 + math.log(n)) * self._of(word) for word, n in words.items()}
        length = math.sqrt(math.fsum(weight**2 for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}

    def _of(self, word: str) -> float:
        share = self.shares.get(word, self.phrases)
        return math.log((1 + self.phrases) / (1 + share)) + 1


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return min(1.0, math.fsum(weight * other.get(word, 0.0) for word, weight in one.items()))


def _words(text: str) -> Mapping[str, int]:
    return Counter(telling(_PARAMETER.sub(" ", text)))
