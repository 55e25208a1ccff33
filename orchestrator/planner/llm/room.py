"""Lists that share the room of a prompt: pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.planner.llm import texts
from protocol.chat.tokens import estimate


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines under a head, the most important first; made when they are asked for."""

    head: str
    count: int
    lines: Iterator[str]


def shared(lists: Sequence[Listing], room: int) -> Iterator[str]:
    """Share the room: max-min fair, so that what one list does not need goes to the others."""
    wanted = [_Wanted.of(each, room) for each in lists]
    given: dict[int, int] = {}
    for left, n in enumerate(sorted(range(len(lists)), key=lambda n: wanted[n].tokens)):
        given[n] = min(wanted[n].tokens, room // (len(lists) - left))
        room -= given[n]
    return (text for n, each in enumerate(wanted) if (text := each.cut(given[n])))


@dataclass(frozen=True, slots=True)
class _Wanted:
    head: str
    count: int
    lines: Sequence[str]
    tokens: int

    @classmethod
    def of(cls, part: Listing, room: int) -> "_Wanted":
        """Make no more lines than there could be room for: there may be very many."""
        lines: list[str] = []
        tokens = _lines_cost(part.head)
        for text in part.lines:
            line = " ".join(text.splitlines())  # what comes from devices begins no line of its own
            lines.append(line)
            tokens += _lines_cost(line)
            if tokens > room:
                break
        return cls(part.head, part.count, lines, tokens)

    def cut(self, room: int) -> str:
        """Return what there is room for, saying how much is missing; nothing for no line."""
        if self.tokens <= room and len(self.lines) == self.count:
            return "\n".join((self.head, *self.lines))
        room -= _lines_cost(self.head) + _lines_cost(texts.MORE.format(n=self.count))
        shown: list[str] = []
        for line in self.lines:
            room -= _lines_cost(line)
            if room < 0:
                break
            shown.append(line)
        more = texts.MORE.format(n=self.count - len(shown))
        return "\n".join((self.head, *shown, more)) if shown else ""


def _lines_cost(text: str) -> int:
    return estimate(text) + 1  # the line's end
