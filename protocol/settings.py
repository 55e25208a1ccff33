"""Settings files: how one is read, what both sides say in theirs, and errors that name the place.

A file is TOML. Environment variables overlay it: with the prefix ``MUSTER``, ``broker.host`` is
``MUSTER_BROKER_HOST``, and a list is separated as in ``PATH``. Relative paths start at the folder
of the file. Whatever is wrong is a `SettingsError`: one sentence that names file, line and key (or
the variable) and says what was expected.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails


class SettingsError(Exception):
    """The settings are not usable; `str()` says where and what was expected."""


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "."), path.expanduser())


Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
LocalPath: TypeAlias = Annotated[Path, AfterValidator(_from_folder)]


class Section(BaseModel):
    """A table of a settings file; keys it does not know are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        revalidate_instances="always",  # a default too has paths, which start at the folder
    )


class Tls(Section):
    """How to know the broker, and be known to it; empty means the system's authorities."""

    ca_file: LocalPath | None = None
    cert_file: LocalPath | None = None
    key_file: LocalPath | None = None


class Broker(Section):
    """Where the MQTT 5 broker is."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password_file: LocalPath | None = None
    """A file, so that the password is in no configuration, command line or log."""
    tls: Tls | None = None

    def password(self) -> str | None:
        """Read the password.

        Raises:
            SettingsError: The file cannot be read.
        """
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"broker.password_file: {error}") from error


SomeSection = TypeVar("SomeSection", bound=Section)


def read_settings(
    model: type[SomeSection],
    path: Path | None,
    *,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
) -> SomeSection:
    """Read the settings of `model` from a file (None: there is none) and the environment.

    Raises:
        SettingsError: The file is missing or no TOML, or something misses the model.
    """
    text, data = _load(path) if path else ("", {})
    variables: dict[tuple[str, ...], str] = {}
    for keys, many in _leaves(model):
        name = "_".join((prefix, *keys)).upper()
        if environment and name in environment:
            variables[keys] = name
            value = environment[name]
            _put(data, keys, value.split(os.pathsep) if many else value)
    folder = path.absolute().parent if path else Path.cwd()
    try:
        return model.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        # An unknown key goes first: it is why the right one is missing.
        details = error.errors(include_url=False)
        detail = min(details, key=lambda each: each["type"] != "extra_forbidden")
        keys = tuple(map(str, detail["loc"]))
        if name := next(
            (variables[found] for found in variables if keys[: len(found)] == found), ""
        ):
            place = f"environment variable {name}"
        else:
            place = f"{path or 'settings'}{_line(text, keys)}: {'.'.join(keys)}"
        raise SettingsError(f"{place}: {_wrong(model, keys, detail)}") from error


def _load(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; write one or name another") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def _wrong(model: type[Section], keys: Sequence[str], detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        known = list(_section(model, keys[:-1]).model_fields)
        near = difflib.get_close_matches(keys[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        return f"unknown key, {hint}"
    if detail["type"] == "missing":
        return "this key is required"
    return f"{detail['msg']}, got {detail['input']!r}"


def _sections(hint: object) -> Iterator[type[Section]]:
    for choice in (hint, *get_args(hint)):
        if isinstance(choice, type) and issubclass(choice, Section):
            yield choice


def _section(model: type[Section], keys: Sequence[str]) -> type[Section]:
    for key in keys:
        if key in model.model_fields:
            model = next(_sections(model.model_fields[key].annotation), model)
    return model


def _leaves(
    model: type[Section], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """List the keys that a variable may set, and whether each is a list."""
    for name, field in model.model_fields.items():
        if inner := next(_sections(field.annotation), None):
            yield from _leaves(inner, (*above, name))
        else:
            hints = (field.annotation, *get_args(field.annotation))
            yield (*above, name), any(get_origin(hint) is tuple for hint in hints)


def _put(data: dict[str, Any], keys: Sequence[str], value: object) -> None:
    for key in keys[:-1]:
        data = data.setdefault(key, {})
        if not isinstance(data, dict):
            return  # the file is wrong there, and will be told so
    data[keys[-1]] = value


def _line(text: str, keys: Sequence[str]) -> str:
    """Name the line that comes closest to `keys`, as the rest of a file name."""
    section: list[str] = []
    nearest = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            place = section = _split(header[1])
        elif assignment := re.match(r"\s*([^#=]+)=", line):
            place = section + _split(assignment[1])
        else:
            continue
        agreeing = takewhile(lambda pair: pair[0] == pair[1], zip(place, keys, strict=False))
        nearest = max(nearest, (len(list(agreeing)), -number))
    return f", line {-nearest[1]}" if nearest[0] else ""


def _split(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in key.split(".")]
