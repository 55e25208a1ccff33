"""How many tokens a text has, about, without a tokenizer.

Letters, digits and spaces: 4 to a token. Any other ASCII character: 2 to a token, for the quotes,
braces and commas of JSON. Anything else: a token each. Meant to err upwards: English prose has
4 to 5 characters a token, JSON 2.5 to 3.5. Beyond ASCII a character is 0.5 to 1.5 tokens, so
such a text may have up to half as many tokens again. What a server counts takes its place as
soon as it is known. No more than the bytes of the text, which bound every byte-level tokenizer.
"""

import string
from typing import Final

PER_MESSAGE: Final = 4  # role and separators
_WORDS: Final = (string.ascii_letters + string.digits + string.whitespace).encode()


def estimate(text: str) -> int:
    """Return about how many tokens a text has. O(its length)."""
    plain = text.encode("ascii", errors="ignore")
    marks = len(plain.translate(None, _WORDS))
    words, others = len(plain) - marks, len(text) - len(plain)
    return -(-(words + 2 * marks + 4 * others) // 4)


def clip(text: str, characters: int) -> str:
    """Cut a text, saying how much is missing."""
    if len(text) <= characters:
        return text
    return f"{text[:characters]}… ({len(text) - characters} characters more)"
