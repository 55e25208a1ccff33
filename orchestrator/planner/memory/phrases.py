"""A request with parameters in the place of what it says of them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Final, TypeAlias

from pydantic_core import to_json

from orchestrator.planner.memory.generalising import Parameter
from orchestrator.planner.memory.reading import Span, spans

Template: TypeAlias = tuple[str, ...]
"""Words and, at every second place, the name of a parameter."""

MOST: Final = 64  # ways to read one request that are looked at
STEPS: Final = 5000  # of the search for them


def templates(
    requests: Sequence[str], parameters: Sequence[Parameter]
) -> tuple[tuple[Template, ...], tuple[Parameter, ...]]:
    """Return the template of each request, and the parameters as they are said in them.

    Where there is a choice, it is the one that most requests have. Of parameters that are said by
    the same words ("app" in "app.conf") the longest keeps them; another counts as not said.
    """
    known = tuple(parameters)
    while True:
        ways = [_ways(request, n, known) for n, request in enumerate(requests)]
        if all(ways):
            break
        run = next(n for n, each in enumerate(ways) if not each)
        said = [each for each in known if each.said[run]]
        least = min(said, key=lambda each: len(to_json(each.values[run])))
        unsaid = replace(least, said=(False,) * len(requests))
        known = tuple(unsaid if each is least else each for each in known)
    votes = Counter(_folded(way) for each in ways for way in dict.fromkeys(each))
    return tuple(max(each, key=lambda way: votes[_folded(way)]) for each in ways), known


def phrase(template: Template) -> str:
    """Return the template as a phrase of a playbook."""
    return "".join(f"{{{part}}}" if n % 2 else part for n, part in enumerate(template))


def pattern(template: Template, parameters: Iterable[Parameter]) -> str:
    """Return the template as a regular expression that takes single words where all were single.

    For where a phrase cannot be written, or takes the wrong words.
    """
    single = {
        each.name
        for each in parameters
        if not any(re.search(r"\s", each.words(n)) for n in range(len(each.values)))
        and each.kind in ("string", "integer", "number", "boolean")
    }
    return "".join(
        (rf"(?P<{part}>\S+)" if part in single else f"(?P<{part}>.+?)")
        if n % 2
        else re.escape(part)
        for n, part in enumerate(template)
    )


def is_phrase(template: Template) -> bool:
    """Tell whether the words have no sign that means something in a phrase."""
    return not re.search(r"[][{}]", "".join(template[::2]))


def _ways(request: str, run: int, parameters: Sequence[Parameter]) -> Sequence[Template]:
    said = [each for each in parameters if each.said[run]]
    places = [(each.name, spans(request, each.values[run], each.kind)) for each in said]
    places.sort(key=lambda place: len(place[1]))
    return [_cut(request, way) for way in islice(_disjoint(places, (), count()), MOST)]


def _disjoint(
    places: Sequence[tuple[str, Sequence[Span]]],
    chosen: tuple[tuple[Span, str], ...],
    steps: Iterator[int],
) -> Iterator[tuple[tuple[Span, str], ...]]:
    """Yield the ways to give each parameter a place of its own, depth first."""
    if not places:
        yield chosen
        return
    (name, where), *rest = places
    for start, end in where:
        if next(steps) < STEPS and all(
            end <= first or last <= start for (first, last), _ in chosen
        ):
            yield from _disjoint(rest, (*chosen, ((start, end), name)), steps)


def _cut(request: str, way: Iterable[tuple[Span, str]]) -> Template:
    parts, at = [], 0
    for (start, end), name in sorted(way):
        parts += [request[at:start], name]
        at = end
    return (*parts, request[at:])


def _folded(template: Template) -> Template:
    return tuple(part if n % 2 else part.casefold() for n, part in enumerate(template))
