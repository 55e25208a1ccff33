import asyncio
import hashlib

import pytest
from typer.testing import CliRunner

from agents.runtime import Agent
from agents.sharing import sharing
from agents.skills import Context, skill
from orchestrator import Orchestrator, cli
from orchestrator.library import DEFAULT_ADDRESS
from orchestrator.service import Service
from protocol.artifacts import Artifact
from protocol.artifacts.store import Store
from tests.support.mosquitto import Mosquitto
from tests.support.muster import plan, spec

pytestmark = pytest.mark.broker
TEXT = "text\n" * 50_000


@skill
async def write() -> str:
    """Return more than a message carries."""
    return TEXT


@pytest.fixture
async def fetched(tmp_path, installed_mosquitto):
    """A way to call `muster fetch` after a run on one device."""
    assert installed_mosquitto
    source = tmp_path / "report.txt"
    source.write_text(TEXT)

    @skill
    async def share(context: Context) -> Artifact:
        """Share a file."""
        return await context.share(source)

    @skill
    async def twice(context: Context) -> list[Artifact]:
        """Share a file twice."""
        return [await context.share(source)] * 2

    @skill
    async def small() -> int:
        """Return little."""
        return 1

    store = Store(tmp_path / "store")
    async with Mosquitto() as broker:
        transport = broker.transport(str(DEFAULT_ADDRESS))
        orchestrator = Orchestrator(transport)
        async with (
            sharing(store, "127.0.0.1", 0) as artifacts,
            orchestrator,
            Service(orchestrator, transport),
            Agent(
                "laptop",
                [write, share, twice, small],
                transport=broker.transport("laptop"),
                artifacts=artifacts,
            ),
        ):
            tasks = [spec(name, name) for name in ("write", "share", "twice", "small")]
            run = await orchestrator.submit("make", plan=plan(*tasks))
            await run.result()

            async def fetch(task, path):
                arguments = ["fetch", "--broker", f"127.0.0.1:{broker.port}", run.id, task, path]
                return await asyncio.to_thread(
                    CliRunner().invoke, cli.app, list(map(str, arguments))
                )

            yield fetch
    store.close()


async def test_what_a_task_made_is_saved_under_a_name_or_in_a_folder(fetched, tmp_path):
    (tmp_path / "here").mkdir()
    result = await fetched("share", tmp_path / "here")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "here" / "report.txt").read_text() == TEXT
    assert (await fetched("write", tmp_path / "here" / "x.json")).exit_code == 0
    assert (tmp_path / "here" / "x.json").stat().st_size > len(TEXT)
    assert sorted(each.name for each in (tmp_path / "here").iterdir()) == ["report.txt", "x.json"]
    assert f"{len(TEXT)} bytes" in result.output
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert (tmp_path / "store" / "blobs" / digest).exists()
    nowhere = await fetched("share", tmp_path / "nowhere" / "x")
    assert (nowhere.exit_code, len(nowhere.output.splitlines())) == (2, 1)
    assert "nowhere: no such folder" in nowhere.output
    for task, words in (("small", "refers to no artifact"), ("twice", "output.0, output.1")):
        result = await fetched(task, tmp_path)
        assert result.exit_code == 1
        assert words in result.output
        assert len(result.output.splitlines()) == 1
