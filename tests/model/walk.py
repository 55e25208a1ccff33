"""Random walks through the model that the code takes too, compared after every step."""

import random
from collections import Counter
from collections.abc import Iterator

from tests.model import words as m
from tests.model.actions import steps
from tests.model.explore import Label, line
from tests.model.replay import Code, compared

WIDE = m.World(attempts=3, epochs=4, crashes=3)
OFTEN = 20  # the pause between repeats of an offer doubles: 40 of them take longer than any limit


def walk(seed: int, *, once: bool, used: Counter[Label], length: int = 60) -> None:
    """Take a walk; what was done seldom so far (`used`) is done rather."""
    chance = random.Random(seed)
    w = WIDE._replace(once=once)
    code, s, story = Code(w), m.first(w), []
    for _ in range(length):
        options = dict[Label, list[tuple[str, Label, m.State]]]()
        for label, after in _shared(w, s):
            if story.count(line(label)) == OFTEN:
                continue
            kind = (*_kind(label), after == s)
            options.setdefault(kind, []).append((line(label), label, after))
        if not options:
            return
        kinds = sorted(options)
        kind = chance.choices(kinds, [1 / (1 + used[each]) for each in kinds])[0]
        told, label, s = chance.choice(sorted(options[kind], key=lambda option: option[0]))
        used[kind] += 1
        story.append(told)
        code.step(label)
        s = _placed(w, s, code)
        same(code, s, "\n".join(story))


def same(code: Code, s: m.State, story: str) -> None:
    """See that the code is where the model is, and has sent all that the model has."""
    for name, model, real in zip(s._fields, compared(s), code.seen(), strict=True):
        assert model == real, f"{name} after\n{story}\nmodel {model}\ncode  {real}"
    missing = s.sent - code.sent()
    assert not missing, f"never sent after\n{story}\n{missing}"


def _placed(w: m.World, s: m.State, code: Code) -> m.State:
    """Let the model choose the device that the code has chosen."""
    if len(code.attempts()) == len(s.owner.attempts):
        return s
    label = ("place", "owner", code.device_of_last())
    return dict(steps(w, s, ("place",))).get(label, s)


def _shared(w: m.World, s: m.State) -> Iterator[tuple[Label, m.State]]:
    """Yield the steps that the code is told to take; where to place it chooses itself."""
    for label, after in steps(w, s, idle=True):
        if label[0] != "place" and not _exhausted(w, after):
            yield label, after


def _exhausted(w: m.World, s: m.State) -> bool:
    """Tell whether a coordinator has no more attempts, where the code's bound is another."""
    views = [s.owner, *([s.old] if s.old else [])]
    return any(v.task is m.Task.FAILED and len(v.attempts) == w.attempts for v in views)


def _kind(label: Label) -> Label:
    """Say what is counted: an action, who does it, what kind of message, does it do anything."""
    name, *parts = label
    told = (part[0] if isinstance(part, tuple) else part for part in parts)
    return (name, *(part if isinstance(part, str) else "" for part in told))
