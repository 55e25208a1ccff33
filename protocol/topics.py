"""Addresses and topics of A2A over MQTT: the only place with topic strings.

```
$a2a/v1/discovery/{org}/{unit}/{agent}        the retained card
$a2a/v1/request/{org}/{unit}/{agent}          what the agent is asked
$a2a/v1/reply/{org}/{unit}/{agent}/{suffix}   what the agent is answered; suffix: who answers
$a2a/v1/event/{org}/{unit}/{agent}            what the agent tells everybody
```
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from protocol.errors import LocalProtocolError

_PREFIX: Final = "$a2a/v1"
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,1000}")  # so that any topic fits in 64 KiB
_TOPIC: Final = re.compile(
    r"\$a2a/v1/(?P<kind>discovery|request|reply|event)"
    r"/(?P<org>{id})/(?P<unit>{id})/(?P<agent>{id})(?:/(?P<suffix>{id}))?".replace(
        "{id}", _ID.pattern
    )
)


@dataclass(frozen=True, slots=True)
class Address:
    """Who an agent is on the broker; `str()` is its MQTT client id."""

    org: str
    unit: str
    agent: str

    def __post_init__(self) -> None:
        for part in (self.org, self.unit, self.agent):
            if not _ID.fullmatch(part):
                raise LocalProtocolError(
                    f"{part!r} in an agent's address: only letters, digits, '_', '.' and '-'"
                )

    def __str__(self) -> str:
        return f"{self.org}/{self.unit}/{self.agent}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `org/unit/agent`.

        Raises:
            LocalProtocolError: the text is not of that form.
        """
        parts = text.split("/")
        if len(parts) != 3:  # noqa: PLR2004 - org, unit, agent
            raise LocalProtocolError(f"{text!r} is not an address: write org/unit/agent")
        return cls(*parts)


class Kind(StrEnum):
    """What a topic is for."""

    DISCOVERY = "discovery"
    REQUEST = "request"
    REPLY = "reply"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of ours, taken apart. `suffix` is set exactly on replies."""

    kind: Kind
    address: Address
    suffix: str = ""


@lru_cache(maxsize=4096)  # the same few topics, over and over
def parse(topic: str) -> Topic | None:
    """Take a topic apart; None when it is not one of the four above."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    kind, suffix = Kind(match["kind"]), match["suffix"] or ""
    if (kind is Kind.REPLY) != bool(suffix):
        return None
    return Topic(kind, Address(match["org"], match["unit"], match["agent"]), suffix)


def discovery(address: Address) -> str:
    """Return where the agent's retained card is."""
    return f"{_PREFIX}/discovery/{address}"


def request(address: Address) -> str:
    """Return where the agent takes requests; also its filter."""
    return f"{_PREFIX}/request/{address}"


def reply(address: Address, suffix: str) -> str:
    """Return where the agent takes answers from the one named by `suffix`.

    Raises:
        LocalProtocolError: the suffix is not an identifier.
    """
    if not _ID.fullmatch(suffix):
        raise LocalProtocolError(
            f"{suffix!r} as a reply suffix: only letters, digits, '_', '.' and '-'"
        )
    return f"{_PREFIX}/reply/{address}/{suffix}"


def event(address: Address) -> str:
    """Return where the agent publishes events."""
    return f"{_PREFIX}/event/{address}"


def discovery_filter(org: str = "+", unit: str = "+") -> str:
    """Match the cards of every agent, or of those in one organisation or unit."""
    return f"{_PREFIX}/discovery/{org}/{unit}/+"


def event_filter(org: str = "+", unit: str = "+") -> str:
    """Match the events of every agent, or of those in one organisation or unit."""
    return f"{_PREFIX}/event/{org}/{unit}/+"


def reply_filter(address: Address) -> str:
    """Match every answer to this agent."""
    return f"{_PREFIX}/reply/{address}/+"
