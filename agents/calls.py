"""Calls of skills, whose every end is data: what a skill raises fails its attempt alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from agents.context import (
    BadInputError,
    BadOutputError,
    Context,
    LeaseLostError,
    SkillError,
    TemporaryError,
    nobody,
)
from agents.skills import Skill
from agents.wording import carried
from protocol import telemetry
from protocol.telemetry import Level
from protocol.types import Failed, FailureKind, Json, Outcome, Succeeded, Unknown

CANCELLED_ITSELF: Final = Failed(FailureKind.SKILL_ERROR, "the skill cancelled itself")
NOT_LOOKED_UP: Final = Unknown("the look-up of what came of it was stopped")
_KINDS: Final = (
    (BadInputError, FailureKind.BAD_INPUT),
    (BadOutputError, FailureKind.BAD_OUTPUT),
    (LeaseLostError, FailureKind.LEASE_LOST),
    (TemporaryError, FailureKind.TRANSIENT),
    (Exception, FailureKind.SKILL_ERROR),
)


async def do(skill: Skill, context: Context, args: Mapping[str, Json]) -> Outcome:
    """Run a skill."""
    try:
        return Succeeded(await skill.call(context, args))
    except Exception as error:  # noqa: BLE001  the boundary of an attempt: its bug fails it alone
        _told("skill_failed", skill, context, error)
        return failure(error)


def failure(error: Exception) -> Failed:
    """Return an error of a skill, or of what it needs, as data."""
    kind = next(kind for cls, kind in _KINDS if isinstance(error, cls))
    retry_after_s = error.retry_after_s if isinstance(error, TemporaryError) else None
    return Failed(kind, _words(error), retry_after_s)


async def look_up(skill: Skill, context: Context, args: Mapping[str, Json]) -> Outcome:
    """Ask a skill what came of an attempt."""
    if skill.reconcile is None:
        return NOT_LOOKED_UP
    try:
        return await skill.reconcile(replace(context, on_ask=nobody), args)
    except Exception as error:  # noqa: BLE001  the boundary of an attempt: its bug fails it alone
        _told("reconcile_failed", skill, context, error)
        return Unknown(f"the look-up of what came of it failed: {_words(error)}")


def _told(event: str, skill: Skill, context: Context, error: Exception) -> None:
    telemetry.write(
        Level.DEBUG, event, skill=skill.info.name, attempt=context.attempt, exc_info=error
    )


def _words(error: Exception) -> str:
    detail = str(error) if isinstance(error, SkillError) else f"{type(error).__name__}: {error}"
    return carried(detail)
