"""Where a benchmark ran: the commit, the machine and the versions, to put beside its figures."""

import os
import platform
import re
import shutil
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_ROOT = Path(__file__).resolve().parent.parent
_LIBRARIES = ("muster", "aiomqtt", "paho-mqtt", "networkx", "pydantic", "uvloop")


def circumstances() -> dict[str, Any]:
    """Return `commit`, `machine` and `versions`. What cannot be found out is None or absent."""
    return {"commit": commit(_ROOT), "machine": machine(), "versions": versions()}


def commit(root: Path) -> str | None:
    """Return the commit checked out at `root`, with `-dirty` if files differ from it.

    None where `root` is no checkout, or git is missing.
    """
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    return _output(
        git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"
    )


def machine() -> dict[str, Any]:
    """Describe the processor, the memory and the system."""
    return {
        "cpu": _cpu_model() or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "os": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, of the libraries that figures depend on, and of the broker.

    What is not installed is absent.
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    broker = re.search(r"mosquitto version (\S+)", _output("mosquitto", "-h") or "")
    return found | ({"mosquitto": broker[1]} if broker else {})


def _cpu_model() -> str | None:
    listing = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", listing.read_text()) if listing.exists() else None
    return found[1] if found else None


def _output(*command: str) -> str | None:
    """Return what a program prints, or None where there is no such program or output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return None
    return done.stdout.strip() or None
