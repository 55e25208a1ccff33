"""device.toml: what a device is, where its broker is, and what its owner allows.

```toml
[device]
id = "server-1"                       # required; org, unit, name, labels, slots, speed, capacity
state = "state"                       # folder of the ledger

[broker]
host = "broker.example.org"

[skills]
python = ["my_module:my_skills"]      # skills of your own

[skills.files]                        # files and shell are off until they are configured
roots = ["/var/log"]

[skills.shell]
allow = [{ run = "uptime" }, { run = "git", args = ["log", "--oneline"] }]

[skills.http]
allow = ["intranet.example.org", "https://example.org/api/"]

[policy]                              # caller → skills; without it every caller may use all
"acme/ops/*" = ["system.*", "text.*"]
```
Relative paths start at the folder of the file. Whatever is wrong is a `ConfigError`: one sentence
that names file, line and key and says what was expected.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from typing import Annotated, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)

from agents.skills import suggest


class ConfigError(Exception):
    """device.toml is not usable; `str()` says where and what was expected."""


def _under_config(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "."), path)


Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
LocalPath: TypeAlias = Annotated[Path, AfterValidator(_under_config)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Section):
    """Who this device is and how much it takes on."""

    id: Id
    org: Id = "muster"
    unit: Id = "default"
    name: str = ""
    labels: Mapping[str, str] = {}
    slots: PositiveInt = 1
    """Attempts that may run at once."""
    speed: PositiveFloat = 1.0
    """Relative to a reference device."""
    capacity: Mapping[str, PositiveFloat] = {}
    """Resource kind → how much of it may be warm at once."""
    state: LocalPath = Field(default=Path("state"), validate_default=True)
    """The folder of the ledger."""


class Tls(_Section):
    """How to know the broker, and be known to it; empty means the system's authorities."""

    ca_file: LocalPath | None = None
    cert_file: LocalPath | None = None
    key_file: LocalPath | None = None


class Broker(_Section):
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
            ConfigError: the file cannot be read.
        """
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"broker.password_file: {error}") from error


class FilesSection(_Section):
    """The folders that the file, table and report skills may see."""

    roots: Annotated[tuple[LocalPath, ...], Field(min_length=1)]


class Command(_Section):
    """An executable that may run. Each argument must match one of `args` whole; None: any."""

    run: str
    args: tuple[re.Pattern[str], ...] | None = None


class ShellSection(_Section):
    """The commands that may run."""

    allow: Annotated[tuple[Command, ...], Field(min_length=1)]


class HttpSection(_Section):
    """Hosts (`name` or `name:port`) and URL prefixes that may be called."""

    allow: Annotated[tuple[str, ...], Field(min_length=1)]


class Switch(_Section):
    """A group of skills that needs no permission."""

    enabled: bool = True


class SkillsSection(_Section):
    """What the device offers; a group that is None is off."""

    files: FilesSection | None = None
    shell: ShellSection | None = None
    http: HttpSection | None = None
    system: Switch = Switch()
    table: Switch = Switch()
    text: Switch = Switch()
    python: tuple[str, ...] = ()
    """`module:object`: a `Skill`, or a sequence of them."""

    @property
    def roots(self) -> Sequence[Path]:
        """The folders that skills may see."""
        return self.files.roots if self.files else ()


class DeviceConfig(_Section):
    """The whole file."""

    device: Device
    broker: Broker = Broker()
    skills: SkillsSection = SkillsSection()
    policy: Mapping[str, tuple[str, ...]] | None = None

    def allows(self, caller: str, skill: str) -> bool:
        """Tell whether the owner lets `caller` use `skill`; both sides of a rule may have `*`."""
        return self.policy is None or any(
            fnmatchcase(caller, who) and any(fnmatchcase(skill, what) for what in skills)
            for who, skills in self.policy.items()
        )


def read(path: Path) -> DeviceConfig:
    """Read device.toml.

    Raises:
        ConfigError: it is missing, is no TOML, or misses the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; write one, or name it with --config") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        return DeviceConfig.model_validate(data, context={"folder": path.absolute().parent})
    except ValidationError as error:
        # an unknown key goes first: it is why the right one is missing
        details = error.errors(include_url=False)
        detail = min(details, key=lambda each: each["type"] != "extra_forbidden")
        keys = [str(key) for key in detail["loc"]]
        if detail["type"] == "extra_forbidden":
            wrong = f"unknown key{suggest(keys[-1], _known(keys[:-1]))}"
        elif detail["type"] == "missing":
            wrong = "this key is required"
        else:
            wrong = f"{detail['msg']}, got {detail['input']!r}"
        raise ConfigError(f"{path}{_line(text, keys)}: {'.'.join(keys)}: {wrong}") from error


def _known(keys: Iterable[str]) -> Iterable[str]:
    """List the keys that the section at `keys` may have."""
    section: type[_Section] = DeviceConfig
    for key in keys:
        if key in section.model_fields:
            hint = section.model_fields[key].annotation
            choices = (hint, *get_args(hint))
            section = next(each for each in choices if isinstance(each, type(_Section)))
    return section.model_fields


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
