"""The fleet in a prompt: what is offered, and where. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from orchestrator.planner import DeviceView
from orchestrator.planner.llm import texts
from orchestrator.planner.llm.outline import kind, signature
from orchestrator.planner.llm.room import Listing
from protocol.chat.tokens import clip
from protocol.types import Effect, SkillInfo


def catalogue(fleet: Sequence[DeviceView], words: str) -> tuple[Listing, Listing]:
    """List skills and devices, those first that the words speak of."""
    wanted = _words(words)
    homes: dict[str, list[str]] = {}
    skills: dict[str, SkillInfo] = {}
    single = once(fleet)
    for view in fleet:
        for skill in view.card.skills:
            skills.setdefault(skill.name, skill)
            homes.setdefault(skill.name, []).append(view.card.device)

    def relevance(name: str) -> tuple[int, str]:
        return -len(wanted & _words(f"{name} {skills[name].description}")), name

    lines = (
        _skill(skills[name], homes[name], len(fleet), once=name in single)
        for name in sorted(skills, key=relevance)
    )
    devices = sorted(
        fleet,
        key=lambda view: (not wanted & _words(_about(view)), not view.online, view.card.device),
    )
    summary = [_census(fleet)] if len(fleet) > _CENSUS else []
    return (
        Listing(texts.SKILLS, len(skills), lines),
        Listing(texts.DEVICES, len(fleet) + len(summary), chain(summary, map(_device, devices))),
    )


def once(fleet: Sequence[DeviceView]) -> frozenset[str]:
    """Return the skills whose effect may happen once, as some device has it."""
    skills = chain.from_iterable(view.card.skills for view in fleet)
    return frozenset(skill.name for skill in skills if skill.effect is Effect.ONCE)


_CENSUS = 50  # devices; more are also told by the labels that they share
_LABELS = 20
_HOMES = 6  # devices named beside a skill
_WORD = re.compile(r"[a-z0-9]{2,}")


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _about(view: DeviceView) -> str:
    return f"{view.card.device} {view.card.name} {' '.join(view.card.labels.values())}"


def _skill(skill: SkillInfo, homes: Sequence[str], devices: int, *, once: bool) -> str:
    where = f"on {len(homes)} devices: " if len(homes) > _HOMES else "on "
    more = ", …" if len(homes) > _HOMES else ""
    everywhere = len(homes) == devices > 1
    place = "everywhere" if everywhere else f"{where}{', '.join(homes[:_HOMES])}{more}"
    what = f" {skill.description}" if skill.description else ""
    output = "any" if skill.output_schema is None else kind(skill.output_schema)
    mark = " (once)" if once else ""
    line = f"- {skill.name}({signature(skill.input_schema)}){mark} → {output}:{what} [{place}]"
    return clip(" ".join(line.split()), _SKILL)


_SKILL = 700  # characters


def _device(view: DeviceView) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in view.card.labels.items())
    away = "" if view.online else " (away)"
    return clip(f"- {view.card.device}{away}: {labels or 'no labels'}", _DEVICE)


_DEVICE = 300  # characters


def _census(fleet: Sequence[DeviceView]) -> str:
    count = Counter(f"{key}={value}" for view in fleet for key, value in view.card.labels.items())
    shown = ", ".join(f"{label} ({n})" for label, n in count.most_common(_LABELS))
    return f"- {len(fleet)} in all; most frequent labels: {shown or 'none'}"
