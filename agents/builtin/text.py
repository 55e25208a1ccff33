"""Text and reports: grep, count, template, report.

What they read may be a text, a list of rows, or the output of another skill or of a `for_each`
(`bounds.rows_of`): lines are the `text` of the rows, and `item` is where a row comes from.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from threading import Event
from typing import Annotated, TypeAlias

from pydantic import Field
from pydantic_core import to_json

from agents.builtin.bounds import Bounded, Roots, compiled, off_loop, replacing, rows_of
from agents.skills import BadInputError, Json, Skill, skill
from protocol.types import Effect

Row: TypeAlias = Mapping[str, Json]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=1000)]


@dataclass(frozen=True, slots=True)
class Lines:
    """The first rows whose text matches; `total` counts all."""

    rows: Sequence[Row]
    total: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Lines with the same key; `items` counts them by where they come from."""

    key: str
    count: int
    items: Mapping[str, int]
    example: str


@dataclass(frozen=True, slots=True)
class Groups:
    """The largest groups first; `total` counts the lines in all groups, `distinct` the groups."""

    groups: Sequence[Group]
    distinct: int
    total: int
    unmatched: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: a text, then a table of the rows, or `empty` where there are none."""

    heading: str
    text: str = ""
    rows: Json = None
    columns: Sequence[str] | None = None
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text, or the file that holds it."""

    text: str
    path: str | None = None


@dataclass(slots=True)
class _Tally:
    example: str
    items: Counter[str] = field(default_factory=Counter)


@skill("text.grep")
async def grep(source: Json, pattern: str, *, invert: bool = False, limit: Limit = 200) -> Lines:
    """Keep the lines that match a regular expression, or with `invert` those that do not."""
    regex = compiled(pattern)

    def work(stop: Event) -> Lines:
        kept = Bounded[Row](limit)
        for row in rows_of(source):
            if stop.is_set():
                break
            if bool(regex.search(_line(row))) != invert:
                kept.add(row)
        return Lines(kept.items, kept.total, kept.truncated)

    return await off_loop(work)


@skill("text.count")
async def count(
    source: Json, pattern: str = r"\S.*", mask: str | None = None, limit: Limit = 100
) -> Groups:
    r"""Group lines by what a regular expression finds in them, and count.

    The key of a line is what the groups of `pattern` hold, or all it matches if it has no groups.
    What `mask` matches in a key becomes `#`: `\d+` makes one cause of "took 3 s" and "took 4 s".
    """
    regex, masked = compiled(pattern), mask and compiled(mask)

    def work(stop: Event) -> Groups:
        tallies: dict[str, _Tally] = {}
        unmatched = 0
        for row in rows_of(source):
            if stop.is_set():
                break
            line = _line(row)
            if not (match := regex.search(line)):
                unmatched += 1
                continue
            key = " ".join(filter(None, match.groups())) if regex.groups else match[0]
            key = masked.sub("#", key) if masked else key
            tallies.setdefault(key, _Tally(line)).items[_cell(row.get("item", ""))] += 1
        shown = Bounded[Group](limit)
        for key, tally in sorted(tallies.items(), key=lambda pair: (-pair[1].items.total(), pair)):
            shown.add(Group(key, tally.items.total(), tally.items, tally.example))
        total = sum(tally.items.total() for tally in tallies.values())
        return Groups(shown.items, shown.total, total, unmatched, shown.truncated)

    return await off_loop(work)


@skill("text.template")
async def template(template: str, values: Mapping[str, Json]) -> Rendered:
    """Fill the `$names` of a text with values, as JSON what is no text; `$$` is a dollar."""
    texts = {name: each if isinstance(each, str) else _json(each) for name, each in values.items()}
    try:
        return Rendered(Template(template).substitute(texts))
    except KeyError as error:
        raise BadInputError(f"the template names ${error.args[0]}, which has no value") from error
    except ValueError as error:
        raise BadInputError(f"the template is wrong: {error}") from error


@dataclass(frozen=True, slots=True)
class Reports:
    """The skill that may write a file, over one set of roots."""

    roots: Roots

    async def report(
        self, title: str, sections: Sequence[Section], path: str | None = None
    ) -> Rendered:
        """Render a title and sections with tables as Markdown, into the file `path` if given."""
        real = None if path is None else self.roots.resolve(path)

        def work(_stop: Event) -> Rendered:
            text = "\n\n".join([f"# {title}", *map(_section, sections)]) + "\n"
            if real is None:
                return Rendered(text)
            with replacing(real) as draft:
                draft.write_text(text, encoding="utf-8")
            return Rendered("", path)

        return await off_loop(work)


def skills(roots: Sequence[Path] = ()) -> Sequence[Skill]:
    """Make the skills; without roots a report cannot go into a file."""
    report = skill("text.report", effect=Effect.IDEMPOTENT)(Reports(Roots(roots)).report)
    return (grep, count, template, report)


def _line(row: Row) -> str:
    """Return the line that a row stands for."""
    return _cell(row["text"]) if "text" in row else _json(row)


def _section(section: Section) -> str:
    rows = list(rows_of(section.rows))
    body = _table(rows, section.columns) if rows else section.empty
    return "\n\n".join(filter(None, [f"## {section.heading}", section.text, body]))


def _table(rows: Sequence[Row], columns: Sequence[str] | None) -> str:
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names)]
    lines += [[_cell(row.get(name)) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(map(_cell, value))
        case Mapping():
            return ", ".join(f"{name}: {_cell(each)}" for name, each in value.items())
        case _:
            return _json(value)


def _json(value: Json) -> str:
    return to_json(value).decode()


def _escaped(cell: str) -> str:
    return re.sub(r"\s+", " ", cell).replace("|", "\\|")
