"""Secrets taken out of text that is kept or shown."""

import re
from collections.abc import Iterable

MASK = "[secret]"
SHORTEST = 6  # a shorter value occurs in any text by chance
_SHAPES = re.compile(
    r"(?P<before>\bBearer\s+)[^\s\"\\]+"
    r"|(?P<scheme>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|\bsk-[A-Za-z0-9_-]{8,}",
    re.IGNORECASE,
)
"""What looks like a credential, whoever's it is: bearer tokens, passwords in URLs, API keys."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without these secrets, and without what looks like one."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return _SHAPES.sub(lambda found: (found["before"] or found["scheme"] or "") + MASK, text)
