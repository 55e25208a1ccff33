"""Keys of resources come from plans: which of them an owner's commands and folders may see."""

import hashlib
import re
from typing import Final

from agents.skills import NotAllowedError

PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")  # no option, no path, nothing hidden


def admit(key: str, keys: re.Pattern[str]) -> None:
    """Make sure that the owner allows a key.

    Raises:
        NotAllowedError: it does not match `keys`, or would lead out of a folder.
    """
    if not keys.fullmatch(key) or ".." in key.split("/") or key.startswith("/") or "\0" in key:
        raise NotAllowedError(f"the owner of the device does not allow the key {key!r}")


def file_name(key: str) -> str:
    """Return a file name for any key: its own for each, and no path."""
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    return re.sub(r"[^A-Za-z0-9_-]", "_", key)[:40] + "-" + digest[:32]


def filled(template: str, **values: object) -> str:
    """Put values in the places that a template has for them; all else stays as it is."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", str(value))
    return template
