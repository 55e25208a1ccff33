"""A JSON value for people: YAML, whose text keeps its lines."""

import yaml

from protocol.types import Json


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def value(shown: Json) -> str:
    """Return a value as people read it: text as it is, nothing for nothing, the rest as YAML."""
    if shown is None or shown == {}:
        return ""
    if isinstance(shown, str):
        return shown
    dumped = yaml.dump(shown, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n").removesuffix("\n...")


def entry(name: str, shown: Json) -> str:
    """Return a value with its name before it: beside it, or above where it has several lines."""
    said = value(shown)
    if "\n" not in said and not isinstance(shown, list | dict):
        return f"{name}: {said}".rstrip(": ")
    return "\n".join((f"{name}:", *(f"  {line}".rstrip() for line in said.splitlines())))
