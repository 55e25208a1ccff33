"""The seven devices of the suite: six kinds of hardware, emulated on one machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.transport.faults import FaultPlan

GOOD: Final = FaultPlan()
FLAKY: Final = FaultPlan(drop=0.02, duplicate=0.01, delay_s=(0.01, 0.08))


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of hardware.

    Attributes:
        speed: of its emulated work, relative to a laptop.
        slots: attempts that may run at once.
        memory_mb: a call that says it needs more (`memory_mb`) is refused.
        groups: which skills it has, by the part of their name before the dot.
        network: what its messages suffer, both ways.
        battery: whether work drains one.
    """

    speed: float
    slots: int
    memory_mb: int
    groups: tuple[str, ...]
    network: FaultPlan = GOOD
    battery: bool = False


EVERYWHERE: Final = ("files", "text", "table", "system", "pack", "audit", "config", "work")
PROFILES: Final[Mapping[str, Profile]] = {
    "laptop": Profile(
        1.0, 4, 8_000, (*EVERYWHERE, "http", "web", "db", "image", "build", "person")
    ),
    "fast-server": Profile(2.0, 8, 64_000, (*EVERYWHERE, "http", "web", "db", "image", "build")),
    "slow-server": Profile(1.0, 8, 32_000, (*EVERYWHERE, "http", "web", "db", "image", "build")),
    "edge": Profile(0.5, 2, 64, (*EVERYWHERE, "http", "web", "db")),
    "phone": Profile(0.5, 1, 512, (*EVERYWHERE, "person", "phone"), FLAKY, battery=True),
    "gpu": Profile(1.0, 4, 24_000, (*EVERYWHERE, "model", "image")),
}


@dataclass(frozen=True, slots=True)
class Device:
    """One device: its id, its kind of hardware, and the label `role`."""

    id: str
    profile: str
    role: str

    @property
    def hardware(self) -> Profile:
        """What it is emulated to be."""
        return PROFILES[self.profile]


FLEET: Final[Mapping[str, Device]] = {
    each.id: each
    for each in (
        Device("laptop", "laptop", "laptop"),
        Device("server-1", "fast-server", "server"),
        Device("server-2", "slow-server", "server"),
        Device("edge-1", "edge", "edge"),
        Device("edge-2", "edge", "edge"),
        Device("phone-1", "phone", "phone"),
        Device("gpu-1", "gpu", "gpu"),
    )
}
"""Device → what it is. Every task has the whole fleet, and says which part of it it is about."""


CONFIG: Final = """\
[device]
id = "{device.id}"
labels = {{ role = "{device.role}", class = "{device.profile}" }}
slots = {device.hardware.slots}
speed = {device.hardware.speed}

[broker]
port = {port}

[skills.files]
roots = ["files"]
{http}"""
HTTP: Final = """
[skills.http]
allow = ["127.0.0.1:{web_port}"]
"""


def configure(root: Path, devices: Sequence[str], *, port: int, web_port: int) -> None:
    """Give each device a folder below `root`, with `device.toml` and the folder of its files.

    Args:
        root: where the folders go.
        devices: which of the fleet.
        port: where the broker listens, on the loopback interface.
        web_port: where the local pages are served, which the devices may call.
    """
    for name in devices:
        device = FLEET[name]
        http = HTTP.format(web_port=web_port) if "http" in device.hardware.groups else ""
        files_of(root, name).mkdir(parents=True)
        text = CONFIG.format(device=device, port=port, http=http)
        config_of(root, name).write_text(text, encoding="utf-8")


def config_of(root: Path, device: str) -> Path:
    """Return the configuration file of a device."""
    return root / device / "device.toml"


def files_of(root: Path, device: str) -> Path:
    """Return the folder that a device opens to its skills."""
    return root / device / "files"


def control_of(root: Path, device: str) -> Path:
    """Return the file by which the harness changes a device's hardware (`hardware`)."""
    return root / device / "control.json"
