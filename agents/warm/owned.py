"""The kinds of resources that the owner's device.toml names, with their adapters."""

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from agents.config import (
    DeviceConfig,
    DirectorySection,
    LlmSection,
    ProcessSection,
    ResourceSection,
)
from agents.keys import admit
from agents.named import named
from agents.warm.adapters import Adapter, ResourceKind
from protocol.settings import SettingsError
from protocol.types import Json

__all__ = ["load"]


def load(config: DeviceConfig) -> Mapping[str, ResourceKind]:
    """Make the adapter of every kind; nothing is started or touched yet.

    Raises:
        SettingsError: what a `python` names cannot be loaded, or a file cannot be read.
    """
    return {
        kind: ResourceKind(
            _adapter(kind, section), section.capacity, section.max_idle_s, section.load_limit_s
        )
        for kind, section in config.resources.items()
    }


def _adapter(kind: str, section: ResourceSection) -> Adapter:
    """Import an adapter only when it is used: a small device does not pay for httpx."""
    if section.process:
        return _process(section.process)
    if section.llm:
        return _llm(section.llm)
    if section.directory:
        return _directory(f"resources.{kind}.directory.python", section.directory)
    return _own(f"resources.{kind}.python", section.python)


def _process(section: ProcessSection) -> Adapter:
    from agents.warm.adapters.process import Servers  # noqa: PLC0415  see `_adapter`

    options = {name: getattr(section, name) for name in type(section).model_fields}
    return Servers(**options)


def _llm(section: LlmSection) -> Adapter:
    from agents.warm.adapters.llm import LlmSessions  # noqa: PLC0415  see `_adapter`

    headers = {}
    if section.api_key_file:
        headers["authorization"] = f"Bearer {_text(section.api_key_file).strip()}"
    return LlmSessions(
        section.url,
        server=section.server,
        model=section.model,
        prefix=partial(_prefix, section),
        slots=section.slots,
        hints=section.hints,
        headers=headers,
    )


def _prefix(section: LlmSection, key: str) -> Sequence[Mapping[str, Json]]:
    admit(key, section.keys)
    path = section.prefixes / f"{key}.txt" if section.prefixes else None
    if path is None or not path.is_file():
        return ()
    return ({"role": "system", "content": path.read_text(encoding="utf-8")},)


def _directory(place: str, section: DirectorySection) -> Adapter:
    from agents.warm.adapters.directory import (  # noqa: PLC0415  see `_adapter`
        Directories,
        commanded,
        copied,
    )

    if section.source:
        fetch = copied(str(section.source))
    elif section.command:
        fetch = commanded(section.command)
    else:
        fetch = named(place, section.python)
    return Directories(section.folder, fetch, keys=section.keys)


def _own(place: str, name: str) -> Adapter:
    from agents.warm.adapters.objects import Objects  # noqa: PLC0415  see `_adapter`

    found = named(place, name)
    if all(callable(getattr(found, each, None)) for each in ("load", "evict", "size")):
        adapter: Adapter = cast("type[Adapter]", found)() if inspect.isclass(found) else found
        return adapter
    return Objects(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
