"""A world, line by line: virtual time, who, what. The same seed gives the same lines."""

import re
from dataclasses import fields

from orchestrator.core.facts import Fact
from protocol import topics
from protocol.transport import Message

WIDTH = 160
_WORDS = re.compile(rb'"(?:method|state)":"([^"]+)"|"id":"([0-9a-f]{8}-[^"]+)"')
"""What of a message's JSON says most. Correlations are chance, and are not shown."""


def line(at: float, who: str, what: str) -> str:
    """Write one line."""
    return f"{at:10.4f} {who:<11} {what}"


def fact_line(fact: Fact) -> str:
    """Say a fact in a line; long values are cut."""
    values = " ".join(f"{each.name}={getattr(fact, each.name)}" for each in fields(fact))
    text = f"{type(fact).__name__} {values}"
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def message_line(verb: str, message: Message) -> str:
    """Say where a message goes and what it is about."""
    topic = topics.parse(message.topic)
    where = f"{topic.kind} {topic.address.agent}" if topic is not None else message.topic
    words = dict.fromkeys(b"".join(found).decode() for found in _WORDS.findall(message.payload))
    return f"{verb} {where}: {' '.join(words)}"
