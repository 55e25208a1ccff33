"""Values as YAML that people read, and that `playbook.document.read` reads back the same."""

import re
from collections.abc import Collection

import yaml
from pydantic_core import from_json, to_json

from protocol.types import Json

WIDTH = 96
SHORT = 72  # characters of a list or mapping that is written on one line
_STYLES = (
    (re.compile(r"[^\n -~\xa0-\u2027\u202a-\ud7ff]"), '"'),  # what folding a line may change
    (re.compile(r"\n"), "|"),
    # what YAML 1.1 (as PyYAML writes) or 1.2 (as we read) might take for something else
    (re.compile(r"^(?:[-+.\d~]|(?:null|true|false)$)", re.IGNORECASE), "'"),
)


def dump(value: Json) -> str:
    """Return a value as YAML, without anchors, keys in their order, what is short on one line."""
    plain = from_json(to_json(value))
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's own signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indent the items of a list below a key."""
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = next((style for pattern, style in _STYLES if pattern.search(text)), None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


def _list(dumper: yaml.SafeDumper, items: list[Json]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=_short(items))


def _mapping(dumper: yaml.SafeDumper, items: dict[str, Json]) -> yaml.MappingNode:
    flow = _short(items.values()) and len(to_json(items)) <= SHORT
    return dumper.represent_mapping("tag:yaml.org,2002:map", items.items(), flow_style=flow)


def _short(values: Collection[Json]) -> bool:
    plain = not any(
        (isinstance(value, list | dict) and value) or (isinstance(value, str) and "\n" in value)
        for value in values
    )
    return plain and len(to_json([*values])) <= SHORT


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
