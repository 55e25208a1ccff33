"""Secrets taken out of text that is kept or shown."""

from collections.abc import Iterable

from protocol.credentials import masked

MASK = "[secret]"
SHORTEST = 6  # a shorter value occurs in any text by chance


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without these secrets, and without what looks like one."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return masked(text, MASK)
