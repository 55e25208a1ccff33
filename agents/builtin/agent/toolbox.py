"""The skills of the device that a model may use, and which calls a person must approve: pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from pydantic_core import from_json, to_json

from agents.agent_settings import CallRule
from agents.skills import Skill
from protocol.chat import Tool, ToolCall
from protocol.chat.tokens import clip
from protocol.types import Effect, Failed, FailureKind, Json

NAME: Final = 64  # characters, which is what servers take
SHOWN: Final = 300
STRICTNESS: Final = (Effect.PURE, Effect.IDEMPOTENT, Effect.ONCE)
_ONCE: Final = " Each call takes effect: make it once."


class Toolbox:
    """Skills under names that servers take.

    Args:
        skills: all of the device.
        allow: the names that its owner allows; they may have `*`.
        permits: whether everyone who may give the model a task may use a skill.
    """

    def __init__(
        self, skills: Iterable[Skill], allow: Sequence[str], permits: Callable[[str], bool]
    ) -> None:
        self._forbidden: dict[str, str] = {}
        self._skills: dict[str, Skill] = {}
        self.tools: tuple[Tool, ...] = ()
        for each in skills:
            name = each.info.name
            if not any(fnmatchcase(name, pattern) for pattern in allow):
                self._forbidden[name] = "the owner of the device does not allow it here"
            elif not permits(name):
                self._forbidden[name] = "the policy of the device does not allow it here"
            else:
                self._add(each)

    @property
    def effect(self) -> Effect:
        """The strictest of what the skills do."""
        effects = (each.info.effect for each in self._skills.values())
        return max(effects, key=STRICTNESS.index, default=Effect.PURE)

    def find(self, call: ToolCall) -> tuple[Skill, Mapping[str, Json]] | Failed:
        """Return what a call means, or what is wrong with it."""
        by_own_name = (each for each in self._skills.values() if each.info.name == call.name)
        skill = self._skills.get(call.name) or next(by_own_name, None)
        if skill is None:
            known = ", ".join(self._skills) or "none"
            why = self._forbidden.get(call.name, f"there is no such tool, only {known}")
            return Failed(FailureKind.BAD_INPUT, f"{clip(call.name, SHOWN)}: {why}")
        try:
            args = from_json(call.arguments or "{}", allow_inf_nan=False)
        except ValueError as error:
            said = clip(call.arguments, SHOWN)
            detail = f"{call.name}: the arguments are not JSON ({error}): {said}"
            return Failed(FailureKind.BAD_INPUT, detail)
        if not isinstance(args, dict):
            return Failed(FailureKind.BAD_INPUT, f"{call.name}: the arguments are no object")
        return skill, args

    def _add(self, skill: Skill) -> None:
        info = skill.info
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", info.name)[:NAME]
        name, n = plain, 1
        while name in self._skills:
            n += 1
            name = f"{plain[: NAME - 4]}_{n}"
        self._skills[name] = skill
        once = _ONCE if info.effect is Effect.ONCE else ""
        schema = info.input_schema or {"type": "object"}
        self.tools += (Tool(name, (info.description + once).strip(), schema),)


def must_approve(rules: Iterable[CallRule], skill: str, args: Mapping[str, Json]) -> bool:
    """Tell whether a person must approve a call. What a call leaves out could be anything."""
    return any(
        fnmatchcase(skill, rule.skill)
        and all(
            name not in args or pattern.search(_text(args[name]))
            for name, pattern in rule.args.items()
        )
        for rule in rules
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says to a call: the arguments to go on with, or why not."""

    args: Mapping[str, Json] | None
    words: str = ""


def decision(answer: Json, args: Mapping[str, Json]) -> Decision:
    """Read a person's answer: yes, other arguments as an object, or else no."""
    if isinstance(answer, str):
        words = answer.strip()
        if words.lower() in {"y", "yes", "ok", "true"}:
            return Decision(args)
        try:
            answer = from_json(words)
        except ValueError:
            answer = None
        if not isinstance(answer, Mapping):
            return Decision(None, words)
    if isinstance(answer, Mapping):
        return Decision(answer)
    return Decision(args if answer is True else None)
