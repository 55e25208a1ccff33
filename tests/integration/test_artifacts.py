"""A big file from one daemon to another, both of them killed on the way."""

import asyncio
import hashlib
import random
import shutil
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Self

import pytest

from benchmarks.roll_call import roll_call
from orchestrator import Orchestrator, RunStatus
from orchestrator.core.facts import AttemptStarted
from orchestrator.core.model import Needs
from tests.support.mosquitto import program
from tests.support.muster import plan, spec

MIB = 1 << 20
FLAT_BYTES = 128 * MIB  # an idle daemon has some 70; a file of any size adds chunks to that
DEVICE = """
[device]
id = "{name}"
[broker]
port = {broker}
[skills.files]
roots = ["files"]
[artifacts]
listen = "127.0.0.1:{port}"
url = "http://127.0.0.1:{via}"
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


class Wire:
    """Carries TCP between two daemons, counts, and does something after so many bytes."""

    def __init__(self, via: int, port: int, incidents: dict[int, Callable[[], None]]) -> None:
        self.passed_bytes = 0
        self._via = via
        self._port = port
        self._incidents = sorted(incidents.items())
        self._carrying: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._via)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carrying.append(self._group.create_task(self._carry(reader, writer)))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError), closing(writer):
            source, back = await asyncio.open_connection("127.0.0.1", self._port)
            with closing(back):
                async with asyncio.TaskGroup() as group:
                    up = group.create_task(self._pump(reader, back, count=False))
                    await self._pump(source, writer, count=True)
                    up.cancel()

    async def _pump(self, source, target, *, count: bool) -> None:
        with suppress(OSError):
            while chunk := await source.read(MIB):
                self.passed_bytes += len(chunk) if count else 0
                target.write(chunk)
                await target.drain()
                while self._incidents and self.passed_bytes >= self._incidents[0][0]:
                    self._incidents.pop(0)[1]()


@asynccontextmanager
async def daemon(folder: Path, name: str, broker: int, port: int, via: int):
    home = folder / name
    (home / "files").mkdir(parents=True, exist_ok=True)
    text = DEVICE.format(name=name, broker=broker, port=port, via=via)
    (home / "device.toml").write_text(text)
    async with program("agent", "--config", home / "device.toml", log=home / "log") as running:
        yield running


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process had at once in its life."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def write_noise(path: Path, size_bytes: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, noise = hashlib.sha256(), random.Random(7)
    with path.open("wb") as file:
        for _ in range(size_bytes // MIB):
            chunk = noise.randbytes(MIB)
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


@pytest.mark.broker
@pytest.mark.parametrize(
    "size_bytes",
    [
        pytest.param(64 * MIB, marks=pytest.mark.timeout(120), id="64MiB"),
        pytest.param(1024 * MIB, marks=[pytest.mark.slow, pytest.mark.timeout(300)], id="1GiB"),
    ],
)
async def test_a_file_arrives_though_both_ends_are_killed_on_the_way_and_memory_stays_flat(
    broker, tmp_path, size_bytes, record_property
):
    loop, killed, peaks = asyncio.get_running_loop(), [], {}
    port, via = free_port(), free_port()
    digest = await asyncio.to_thread(
        write_noise, tmp_path / "source" / "files" / "big", size_bytes
    )
    share = spec("share", "files.share", args={"path": "big"}, needs=Needs("source"))
    args = {"artifact": {"$from": "share"}, "path": "copy"}
    fetch = spec("fetch", "files.fetch", args=args, needs=Needs("target"))
    async with (
        daemon(tmp_path, "source", broker.port, port, via) as source,
        daemon(tmp_path, "target", broker.port, free_port(), 1) as target,
        roll_call(broker.transport("roll-call")) as roll,
        AsyncExitStack() as stack,
    ):
        await roll.present(["source", "target"])
        coordinator = Orchestrator(broker.transport("coordinator"))
        orchestrator = await stack.enter_async_context(coordinator)

        def kill(name: str, process) -> None:
            peaks[name, len(killed)] = peak_bytes(process.pid)
            killed.append(name)
            process.kill()

        incidents = {
            size_bytes // 4: lambda: kill("source", source),
            size_bytes * 5 // 8: lambda: kill("target", target),
        }
        async with Wire(via, port, incidents) as wire:
            began = loop.time()
            run = await orchestrator.submit("move", plan=plan(share, fetch))
            facts = [event.fact async for event in run.events()]
            result = await run.result()
            took_s = loop.time() - began
        peaks["source", 2], peaks["target", 2] = peak_bytes(source.pid), peak_bytes(target.pid)
    record_property("seconds", took_s)
    record_property("peaks_mib", {" ".join(map(str, k)): v >> 20 for k, v in peaks.items()})

    assert result.status is RunStatus.SUCCEEDED, result
    assert killed == ["source", "target"]
    started = [fact.task for fact in facts if isinstance(fact, AttemptStarted)]
    assert started == ["share", "fetch", "fetch"], "only the target's attempt is done again"
    copy = tmp_path / "target" / "files" / "copy"
    assert await asyncio.to_thread(_sha256, copy) == digest
    assert result.outputs["fetch"] == {"path": "copy", "size_bytes": size_bytes}
    assert wire.passed_bytes < size_bytes + 24 * MIB, "what had arrived was not sent again"
    assert max(peaks.values()) < FLAT_BYTES, peaks
    await asyncio.to_thread(shutil.rmtree, tmp_path)  # four copies of it


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
