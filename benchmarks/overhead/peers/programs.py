"""Redis and workers as child processes of the process that plays a peer."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

REDIS: Final = "redis-server"
URL: Final = "MUSTER_BENCH_REDIS"
"""The environment variable that tells all processes of a peer where Redis is."""

STOP_LIMIT_S: Final = 10.0

# Each change is written before it is answered, and synchronized each second: like SQLite's NORMAL
# it outlives the process that is killed, and may lose the last of it with the machine's power.
_DURABLE: Final = ("--save", "", "--appendonly", "yes", "--appendfsync", "everysec")


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis of one's own on the loopback interface and give its URL.

    Raises:
        RuntimeError: it ended at once.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *_DURABLE)
    with _running(shutil.which(REDIS) or REDIS, *words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"Ready to accept connections" in line:
                break
        else:
            raise RuntimeError(f"{REDIS} ended early on port {port}")
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def module(name: str, *words: str) -> Iterator[None]:
    """Run `python -m name words` meanwhile."""
    with _running(sys.executable, "-m", name, *words, stdout=subprocess.DEVNULL):
        yield


@contextmanager
def _running(*words: str, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stdout)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
