"""Playbook files as YAML with the place of every value, so that an error can name it.

Read as YAML 1.2's core schema: `on`, `no` and `12:30` are text. Anchors, aliases and tags have no
use in a playbook and are refused, duplicate keys too.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from orchestrator.core.errors import OrchestratorError
from protocol.types import Json

Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character of a file; line and column count from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


class PlaybookError(OrchestratorError):
    """A playbook file is wrong; one line a problem, in the order of the file."""

    def __init__(self, problems: Iterable[tuple[Place, str]]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{place}: {detail}" for place, detail in self.problems))


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where."""

    value: Json
    places: Mapping[Location, Place]

    def place(self, location: Iterable[str | int]) -> Place:
        """Return where `location` begins; steps that the file does not have are passed over."""
        at: Location = ()
        for step in location:
            if (*at, step) in self.places:
                at = (*at, step)
        return self.places[at]


def read(text: str, source: str) -> Document:
    """Parse a YAML document.

    Raises:
        PlaybookError: it is not YAML, or YAML that playbooks do without.
    """
    start = Place(source, 1, 1)
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise PlaybookError([(start, "the file is empty")])
        reading = _Reading(source)
        return Document(reading.value(node, ()), reading.places)
    except yaml.MarkedYAMLError as error:
        place = _place(source, error.problem_mark or error.context_mark)
        raise PlaybookError([(place, f"this is not YAML: {error.problem}")]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise PlaybookError([(place, f"this is not YAML: {error.reason}")]) from error
    except RecursionError as error:
        raise PlaybookError([(start, "nested too deeply")]) from error


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, object] = {}  # noqa: RUF012  PyYAML's own attribute


_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], Json]], ...] = (
    (re.compile(r"~|null|"), lambda _: None),
    (re.compile(r"true|false"), lambda text: text == "true"),
    (re.compile(r"[-+]?\d+"), int),
    (re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=e))(e[-+]?\d+)?", re.IGNORECASE), float),
)
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


@dataclass
class _Reading:
    source: str
    places: dict[Location, Place] = field(default_factory=dict)
    seen: set[yaml.Node] = field(default_factory=set)

    def value(self, node: yaml.Node, location: Location) -> Json:
        self.places[location] = _place(self.source, node.start_mark)
        if node in self.seen:
            raise self.error(node, "aliases are not used in playbooks: write it out")
        if node.tag not in _TAGS:
            raise self.error(node, f"tags such as {node.tag} are not used in playbooks")
        self.seen.add(node)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, n)) for n, item in enumerate(node.value)]
        return _scalar(node)

    def mapping(self, node: yaml.MappingNode, location: Location) -> Json:
        result: dict[str, Json] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, "a key must be text")
            if key.value in result:
                raise self.error(key, f"{key.value!r} is here a second time")
            result[key.value] = self.value(item, (*location, key.value))
        return result

    def error(self, node: yaml.Node, detail: str) -> PlaybookError:
        return PlaybookError([(_place(self.source, node.start_mark), detail)])


def _scalar(node: yaml.Node) -> Json:
    text: str = node.value
    if isinstance(node, yaml.ScalarNode) and node.style is None:
        for pattern, convert in _PLAIN:
            if pattern.fullmatch(text):
                return convert(text)
    return text


def _place(source: str, mark: yaml.Mark | None) -> Place:
    return Place(source, mark.line + 1, mark.column + 1) if mark else Place(source, 1, 1)
