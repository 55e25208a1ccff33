"""What the owner's own code offers by name: `module:name` in device.toml."""

from importlib import import_module
from typing import Any

from protocol.settings import SettingsError


def named(place: str, name: str) -> Any:  # noqa: ANN401  the owner's own
    """Import what a key of device.toml names.

    Args:
        place: the key.
        name: `module:name`.

    Raises:
        SettingsError: it cannot be imported, or is not there.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:  # the owner's code may raise anything while it is imported
        raise SettingsError(f"{place}: {name!r} cannot be loaded: {error}") from error
