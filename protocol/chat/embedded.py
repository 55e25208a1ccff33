"""JSON in the words of a model: pure.

Servers that enforce nothing let a model put thoughts, words or a code fence around its JSON.
"""

import re
from collections.abc import Iterator
from typing import Final

STARTS: Final = 16  # braces from which an object is looked for
_THOUGHTS: Final = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_MARKS: Final = re.compile(r'\\.|["{}]', re.DOTALL)


def candidates(text: str) -> Iterator[str]:
    """Yield what may be the JSON: the text without thoughts, then each object in it."""
    text = _THOUGHTS.sub("", text)
    yield text.strip()
    start = text.find("{")
    for _ in range(STARTS):
        if start < 0:
            return
        end = _end(text, start)
        if end is None:
            start = text.find("{", start + 1)
        else:
            yield text[start:end]
            start = text.find("{", end)


def _end(text: str, start: int) -> int | None:
    """Return where the object that begins at `start` ends, if it does."""
    depth, quoted = 0, False
    for mark in _MARKS.finditer(text, start):
        match mark[0]:
            case '"':
                quoted = not quoted
            case "{" if not quoted:
                depth += 1
            case "}" if not quoted:
                depth -= 1
                if not depth:
                    return mark.end()
            case _:
                pass
    return None
