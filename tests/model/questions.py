"""The questions of one attempt: what can happen to them between its device and a coordinator.

A small world beside that of `delivery`: the attempt is live throughout, and the network is again
the set of all that was ever sent. The skill may ask its next question before the last one is
answered, as it may have given up on it. The coordinator's view is its journal: a restart changes
nothing here. A person answers what is open there.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class Rules(NamedTuple):
    """What is promised. A test breaks each alone."""

    device_counts: bool = True
    """A device takes an answer for the question whose number it has."""
    coordinator_counts: bool = True
    """A coordinator takes a question whose number it had before for a repeat."""
    heartbeats: bool = True
    """A heartbeat names the question that is open."""
    queries: bool = True
    """A coordinator asks for a question that it hears of and does not know."""
    answers_again: bool = True
    """It answers again where the question that it answered is still open."""


class Word(NamedTuple):
    """Device to coordinator: `question` or `beat`; back: `answer` or `query`."""

    kind: str
    number: int


class State(NamedTuple):
    """The whole world."""

    number: int = 0
    """Of the newest question on the device."""
    asking: bool = False
    asked: int = 0
    """The newest question that the coordinator took."""
    shown: bool = False
    """A person is being asked that one; else it is answered."""
    sent: frozenset[Word] = frozenset()


Step: TypeAlias = tuple[tuple[object, ...], State]


def steps(rules: Rules, most: int, s: State) -> Iterator[Step]:
    """Return every step in a world in which the skill asks `most` questions."""
    if s.number < most:
        n = s.number + 1
        yield ("ask", n), _sent(s._replace(number=n, asking=True), "question", n)
    if s.shown:
        yield ("person", s.asked), _sent(s._replace(shown=False), "answer", s.asked)
    if s.asking and rules.heartbeats:
        yield ("beat", s.number), _sent(s, "beat", s.number)
    for word in sorted(s.sent):
        yield ("deliver", word), _HEAR[word.kind](rules, s, word.number)


def _sent(s: State, kind: str, number: int) -> State:
    return s._replace(sent=s.sent | {Word(kind, number)})


def _question(rules: Rules, s: State, number: int) -> State:
    new = number > s.asked if rules.coordinator_counts else not s.shown
    return s._replace(asked=number, shown=True) if new else s


def _beat(rules: Rules, s: State, number: int) -> State:
    if number > s.asked and rules.queries:
        return _sent(s, "query", 0)
    if number == s.asked and not s.shown and rules.answers_again:
        return _sent(s, "answer", number)
    return s


def _answer(rules: Rules, s: State, number: int) -> State:
    if s.asking and (number == s.number or not rules.device_counts):
        return s._replace(asking=False)
    return _query(rules, s, number)


def _query(_rules: Rules, s: State, _number: int) -> State:
    return _sent(s, "question", s.number) if s.asking else s


_HEAR = {"question": _question, "beat": _beat, "answer": _answer, "query": _query}


def wrong(s: State, label: tuple[object, ...], t: State) -> str:
    """Return what a step breaks."""
    if s.asking and not t.asking and label != ("deliver", Word("answer", s.number)):
        return "an answer reached another question"
    if t.shown and (not s.shown or t.asked != s.asked) and t.asked <= s.asked:
        return "a person was asked again"
    return ""


def explore(rules: Rules, most: int) -> tuple[set[State], str]:
    """Reach every state; return them, or the first thing that is wrong."""
    queue = [State()]
    seen = {*queue}
    for s in queue:
        for label, after in steps(rules, most, s):
            if why := wrong(s, label, after):
                return seen, why
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return seen, ""


def stuck(rules: Rules, states: set[State]) -> list[State]:
    """Return the states from which the open question is never answered if all in flight is lost.

    What is sent from then on arrives, and the skill waits for its answer.
    """
    return [s for s in states if not _ends(rules, s._replace(sent=frozenset()))]


def _ends(rules: Rules, start: State) -> bool:
    queue = [start]
    for s in queue:
        if not s.asking:
            return True
        queue += [after for _, after in steps(rules, 0, s) if after not in queue]
    return False
