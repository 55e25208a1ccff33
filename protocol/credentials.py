"""Forms that credentials have, whoever's they are: one list for all who keep or show text.

Bearer and basic tokens, passwords in URLs, JSON Web Tokens, PEM private keys, and the prefixes
that large providers give their keys. A text may be JSON: no form reaches over a quote.
"""

import re
from typing import Final

_PREFIXES: Final = (
    r"sk-[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_\w{20,}"
    r"|xox[abprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16,}|AIza[\w-]{30,}"
)
FORMS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"(-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"]*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY-----|(?=\\*\")|\Z))"
        ),
        r"\bbearer\s+([^\s\"'\\,;]{6,})",
        # prose has "basic" before words, and base64 an inner capital, a digit or an equals sign
        r"\bbasic\s+(?-i:(?=[\w+/]*(?:[a-z][A-Z]|\d|=)))([\w+/=]{8,})",
        r"://[^\s/:@\"']*:([^\s/@\"']+)@",
        r"\b(eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)",
        rf"\b({_PREFIXES})",
    )
)
"""Patterns with one group: the credential itself."""


def masked(text: str, mask: str) -> str:
    """Return a text with `mask` in the place of everything that has one of these forms."""
    for form in FORMS:
        text = form.sub(lambda found: _around(found, mask), text)
    return text


def _around(found: re.Match[str], mask: str) -> str:
    whole, (start, end) = found[0], found.span(1)
    return whole[: start - found.start()] + mask + whole[end - found.start() :]
