"""device.toml: what a device is, where its broker is, and what its owner allows.

```toml
[device]
id = "server-1"                       # required; org, unit, name, labels, slots, speed, capacity,
                                      # bandwidth in bytes per second, drain_s
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

[skills.agent]                        # a model that uses the other skills: `agents.agent_settings`
base_url = "http://127.0.0.1:8080/v1"
model = "qwen3"
allow = ["files.*"]

[artifacts]                           # outputs over 64 KiB; without it they are refused
folder = "artifacts"
listen = "0.0.0.0:8470"
url = "http://example.org:8470"       # as other devices reach it
quota_bytes = 10_737_418_240
keep_s = 604_800                      # since the last use, where no coordinator releases it

[resources.model]                     # what may be kept warm between tasks, and how it is loaded
capacity = 24e9                       # how much of the kind at once
max_idle_s = 3600                     # the longest that something may lie unused

[resources.model.process]             # or llm, directory, python: one for each kind
command = ["llama-server", "--model", "/models/{key}.gguf", "--port", "{port}"]
ready_url = "http://127.0.0.1:{port}/health"

[policy]                              # caller → skills; without it every caller may use all
"acme/ops/*" = ["system.*", "text.*"]
```
Relative paths start at the folder of the file. Whatever is wrong is a `SettingsError`: one
sentence that names file, line and key and says what was expected.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import (
    Field,
    JsonValue,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from agents.agent_settings import AgentSection
from agents.keys import PLAIN
from protocol.artifacts.store import KEEP_S, QUOTA_BYTES
from protocol.bounds import MAX_BANDWIDTH
from protocol.settings import Broker, Id, LocalPath, Section, like, read_settings

MAX_DRAIN_S: Final = 86_400.0  # a day: what takes longer is better moved


class Device(Section):
    """Who this device is and how much it takes on."""

    id: Id
    org: Id = "muster"
    unit: Id = "default"
    name: str = ""
    labels: Mapping[str, str] = {}
    slots: PositiveInt = 1
    """Attempts that may run at once."""
    speed: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0
    """Relative to a reference device."""
    bandwidth: Annotated[float, Field(ge=1, le=MAX_BANDWIDTH)] | None = None
    """Bytes per second of its link to other devices: what is measured there corrects it."""
    capacity: Mapping[str, PositiveFloat] = {}
    """Resource kind → how much of it there is, beside what `[resources]` can load."""
    drain_s: Annotated[float, Field(ge=0, le=MAX_DRAIN_S)] = 0.0
    """How long what has started may go on after SIGTERM, while nothing new is taken."""
    state: LocalPath = Path("state")
    """The folder of the ledger."""


class FilesSection(Section):
    """The folders that the file, table and report skills may see."""

    roots: Annotated[tuple[LocalPath, ...], Field(min_length=1)]


class Command(Section):
    """An executable that may run. Each argument must match one of `args` whole; None: any."""

    run: str
    args: tuple[re.Pattern[str], ...] | None = None


class ShellSection(Section):
    """The commands that may run."""

    allow: Annotated[tuple[Command, ...], Field(min_length=1)]


class HttpSection(Section):
    """Hosts (`name` or `name:port`) and URL prefixes that may be called."""

    allow: Annotated[tuple[str, ...], Field(min_length=1)]


class Switch(Section):
    """A group of skills that needs no permission."""

    enabled: bool = True


class SkillsSection(Section):
    """What the device offers; a group that is None is off."""

    files: FilesSection | None = None
    shell: ShellSection | None = None
    http: HttpSection | None = None
    agent: AgentSection | None = None
    system: Switch = Switch()
    table: Switch = Switch()
    text: Switch = Switch()
    python: tuple[str, ...] = ()
    """`module:object`: a `Skill`, or a sequence of them."""

    @property
    def roots(self) -> Sequence[Path]:
        """The folders that skills may see."""
        return self.files.roots if self.files else ()


class ArtifactsSection(Section):
    """Where big outputs are kept, and where other devices fetch them."""

    folder: LocalPath = Path("artifacts")
    listen: Annotated[
        str,
        like(r"(\[[0-9A-Fa-f:]+\]|[\w.-]+):[1-9]\d{0,4}", "host:port, such as 127.0.0.1:8470"),
    ] = "127.0.0.1:8470"
    """An address of this machine, `host:port` or `[host]:port`; plain HTTP."""
    url: Annotated[str, like(r"(https?://[^/\s]+(/\S*)?)?", "http://… or https://…")] = ""
    """How others reach it: that of `listen`, unless they go by another name or a proxy."""
    quota_bytes: PositiveInt = QUOTA_BYTES
    keep_s: PositiveFloat = KEEP_S

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.address[1] >= 2**16:
            raise ValueError(f"{self.listen}: a port is below 65536")
        if not self.url and self.address[0] in ("0.0.0.0", "::"):  # noqa: S104  compared only
            raise ValueError(f"{self.listen} is no address to call: set 'url' to one that is")
        return self


Keys: TypeAlias = Annotated[re.Pattern[str], Field(default=PLAIN)]
"""Which keys of resources are allowed, as a whole: they come from plans."""


class ProcessSection(Section):
    """A server as a child process (`agents.warm.adapters.process`)."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    ready_line: re.Pattern[str] | None = None
    ready_url: Annotated[str, like(r"(http://\S+)?", "http://…")] = ""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    environment: Mapping[str, str] = {}
    folder: LocalPath | None = None
    stop_s: PositiveFloat = 5.0
    keys: Keys


class LlmSection(Section):
    """Sessions of an OpenAI-compatible server (`agents.warm.adapters.llm`)."""

    url: Annotated[str, like(r"https?://\S+", "http://… or https://…")]
    server: Literal["plain", "vllm", "llama.cpp"] = "plain"
    model: str = ""
    prefixes: LocalPath | None = None
    """A folder with a text file for each key, `KEY.txt`: the system prompt of its sessions."""
    slots: PositiveInt = 1
    hints: Mapping[str, JsonValue] = {}
    api_key_file: LocalPath | None = None
    keys: Keys


class DirectorySection(Section):
    """Copies of data on this disk (`agents.warm.adapters.directory`): one way to fetch them."""

    folder: LocalPath
    source: LocalPath | None = None
    """A path on this machine with `{key}` in it."""
    command: tuple[str, ...] = ()
    """A command with `{key}` and `{target}` in it."""
    python: str = ""
    """`module:function`, an async function of the key and the target."""
    keys: Keys

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _exactly_one(self, "source", "command", "python")
        return self


class ResourceSection(Section):
    """What may be kept warm of one kind, and the one way to load it."""

    capacity: PositiveFloat
    """In a unit of the owner's choice, which tasks use for their needs: bytes, usually."""
    max_idle_s: PositiveFloat = inf
    load_limit_s: PositiveFloat = 600.0
    process: ProcessSection | None = None
    llm: LlmSection | None = None
    directory: DirectorySection | None = None
    python: str = ""
    """`module:object`: an adapter, or a function that makes what a key names."""

    @model_validator(mode="after")
    def _one_adapter(self) -> Self:
        _exactly_one(self, "process", "llm", "directory", "python")
        return self


def _exactly_one(section: Section, *names: str) -> None:
    given = [name for name in names if getattr(section, name)]
    if len(given) != 1:
        raise ValueError(f"set one of {', '.join(names)}, not {' and '.join(given) or 'none'}")


class DeviceConfig(Section):
    """The whole file."""

    device: Device
    broker: Broker = Broker()
    skills: SkillsSection = SkillsSection()
    artifacts: ArtifactsSection | None = None
    resources: Mapping[Id, ResourceSection] = {}
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
        SettingsError: it is missing, is no TOML, or misses the model.
    """
    return read_settings(DeviceConfig, path)
