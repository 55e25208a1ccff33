"""What A2A parts say, as one JSON value."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from pydantic import JsonValue, TypeAdapter

from protocol.a2a import Part
from protocol.codec.jsonrpc import load
from protocol.errors import RemoteProtocolError
from protocol.types import Json

_JSON: Final = TypeAdapter[JsonValue](JsonValue)


def content(parts: Sequence[Part]) -> Json:
    """Return the only part's data or text; the text of several; or a list of what they say.

    A part of bytes or a link stays as it came: `{"raw": …}` or `{"url": …}`.
    """
    if len(parts) == 1:
        return _said(parts[0])
    if all("text" in part for part in parts):
        return text(parts)
    return [_said(part) for part in parts]


def text(parts: Sequence[Part]) -> str:
    """Return what the parts say to a person."""
    return "".join(part.get("text", "") for part in parts)


def call(parts: Sequence[Part]) -> tuple[str, Mapping[str, Json]]:
    """Return the skill that the parts name and its arguments; "" when they name none.

    Raises:
        RemoteProtocolError: the arguments are not an object.
    """
    for part in parts:
        named = part["data"] if "data" in part else _object(part.get("text", ""))
        if isinstance(named, dict) and isinstance(skill := named.get("skill"), str):
            args = named.get("args", {})
            if not isinstance(args, dict):
                raise RemoteProtocolError("args: not an object")
            return skill, args
    said = content(parts)
    return "", said if isinstance(said, dict) else {"text": said}


def _said(part: Part) -> Json:
    if "data" in part:
        return cast(Json, part["data"])
    return part["text"] if "text" in part else cast(Json, dict(part))


def _object(said: str) -> JsonValue:
    try:
        return load(_JSON, said.encode()) if said.startswith("{") else None
    except RemoteProtocolError:
        return None  # text that looks like JSON is still text
