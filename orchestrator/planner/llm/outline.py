"""Values and schemas in a few words: what a model needs of them to plan."""

from collections.abc import Mapping, Sequence

from pydantic_core import to_json

from orchestrator.planner.llm import texts
from protocol.chat.tokens import clip
from protocol.types import Json

_TEXT = 60  # characters of a long text that are shown
_ENTRIES = 12  # of an object that are shown
_DEPTH = 2


def compact(value: Json) -> str:
    """Return a value as JSON on one line."""
    return to_json(value).decode()


def brief(value: Json, characters: int) -> str:
    """Return a value as it is, or what it looks like where that is long."""
    whole = compact(value)
    return whole if len(whole) <= characters else clip(_shape(value, _DEPTH), characters)


def result(task: str, value: Json, characters: int) -> str:
    """Return an output as it is, or a summary with the reference that stands for the whole."""
    size = len(compact(value))
    outline = brief(value, characters)
    if size <= characters:
        return outline
    return texts.RESULT.format(outline=outline, size=size, task=compact(task))


def _shape(value: Json, depth: int) -> str:
    match value:
        case str():
            return compact(value if len(value) <= _TEXT else f"{value[:_TEXT]}…")
        case Mapping():
            if not depth:
                return f"object of {len(value)}"
            shown = list(value.items())[:_ENTRIES]
            more = ", …" if len(value) > len(shown) else ""
            parts = (f"{compact(key)}: {_shape(each, depth - 1)}" for key, each in shown)
            return f"{{{', '.join(parts)}{more}}}"
        case list() | tuple():
            first = f", first: {_shape(value[0], depth - 1)}" if value and depth else ""
            return f"list of {len(value)}{first}"
        case _:
            return compact(value)


def signature(schema: Mapping[str, Json] | None) -> str:
    """Return what a skill takes, from the JSON Schema of its input."""
    if schema is None:
        return "anything"
    required = schema.get("required") or ()
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not isinstance(required, Sequence):
        return ""
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {kind(part)}"
        for name, part in properties.items()
    )


def kind(schema: Json, depth: int = _DEPTH) -> str:
    """Return what a JSON Schema describes, as a type is written."""
    found = "any"
    match schema:
        case {"enum": list() | tuple() as values}:
            found = "|".join(map(compact, values))
        case {"anyOf": list() | tuple() as options} | {"oneOf": list() | tuple() as options}:
            found = "|".join(dict.fromkeys(kind(each, depth) for each in options))
        case {"type": "array", "items": items} if depth:
            found = f"list of {kind(items, depth - 1)}"
        case {"properties": Mapping() as properties} if depth:
            parts = (f"{name}: {kind(each, depth - 1)}" for name, each in properties.items())
            found = f"{{{', '.join(parts)}}}"
        case {"type": str() as name}:
            found = name
        case {"type": list() | tuple() as names}:
            found = "|".join(map(str, names))
        case _:
            pass
    return found
