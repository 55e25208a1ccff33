"""Settings files: how one is read, what both sides say in theirs, and errors that name the place.

A file is TOML. Environment variables overlay it: with the prefix ``MUSTER``, ``broker.host`` is
``MUSTER_BROKER_HOST``, and a list is separated as in ``PATH``. Relative paths start at the folder
of the file. Whatever is wrong is a `SettingsError`: one sentence that names file, line and key (or
the variable) and says what was expected.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from protocol.sentences import first, line, names


class SettingsError(Exception):
    """The settings are not usable; `str()` says where and what was expected."""


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "."), path.expanduser())


_TABLE: Final = "write names with values, such as {{ name = value }}"
_TOML: Final = {
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _TABLE),
    **dict.fromkeys(("tuple_type", "list_type"), 'write a list, such as ["a", "b"]'),
    "string_type": "write text in quotes",
    "path_type": "write a path in quotes",
}
"""Kind of an error → what to write in TOML, where it differs from other formats."""
_HINTS: Final = {
    "Invalid value": ": text goes in quotes, and 'true' and 'false' are small",
    "Illegal character '\\n'": ": close the quotes on the same line",
    "Cannot overwrite a value": ": this key is there already",
    "end of document": ": something is missing there, or a bracket is still open",
}
"""What tomllib says, or its place → what its author may not know."""


def like(pattern: str, write: str) -> AfterValidator:
    """Take text that is of a form as a whole; `write` says which, to people."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"write {write}, got {text!r}")
        return text

    return AfterValidator(check)


Id: TypeAlias = Annotated[str, like(r"[A-Za-z0-9_.-]+", "letters, digits and '_.-' only")]
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
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SettingsError(f"broker.password_file: {self.password_file}: {reason}") from error


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
        cause = first(error)
        keys = tuple(map(str, cause["loc"]))
        if name := next(
            (variables[found] for found in variables if keys[: len(found)] == found), ""
        ):
            place = f"environment variable {name}"
        else:
            place = f"{path or 'settings'}{_line(text, keys)}"
        raise SettingsError(f"{place}: {_wrong(model, cause)}") from error


def _load(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; write one or name another") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: this is no text in UTF-8: save it as that") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}{_syntax(str(error))}") from error


def _syntax(said: str) -> str:
    """Say what is no TOML as the rest of a file name; `said` is how tomllib says it."""
    what, found, at = said.removesuffix(")").rpartition(" (at ")
    if not found:
        return f": this is no TOML: {said}"
    hint = _HINTS.get(at) or _HINTS.get(what, "")
    return f", {at}: this is no TOML: {what[:1].lower()}{what[1:]}{hint}"


def _wrong(model: type[Section], cause: ErrorDetails) -> str:
    said = line(cause, model, words=_TOML)
    if cause["type"] == "missing" and (inside := names(model, cause["loc"])):
        return f"{said}: write [{'.'.join(map(str, cause['loc']))}], and below it {inside[0]} = …"
    return said


def _sections(hint: object) -> Iterator[type[Section]]:
    for choice in (hint, *get_args(hint)):
        if isinstance(choice, type) and issubclass(choice, Section):
            yield choice


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
    for number, row in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", row):
            place = section = _split(header[1])
        elif assignment := re.match(r"\s*([^#=]+)=", row):
            place = section + _split(assignment[1])
        else:
            continue
        agreeing = takewhile(lambda pair: pair[0] == pair[1], zip(place, keys, strict=False))
        nearest = max(nearest, (len(list(agreeing)), -number))
    return f", line {-nearest[1]}" if nearest[0] else ""


def _split(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in key.split(".")]
