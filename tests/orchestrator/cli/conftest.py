"""What the tests of the commands share: a coordinator that serves, and a way to call it."""

import asyncio
import threading

import pytest
from typer.testing import CliRunner

from orchestrator import cli
from tests.support.command_line import PLAYBOOKS, UNIT, serve


@pytest.fixture(scope="module")
def config(mosquitto, tmp_path_factory):
    folder = tmp_path_factory.mktemp("muster")
    for name, text in PLAYBOOKS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{text}")
    path = folder / "muster.toml"
    path.write_text(
        f'[coordinator]\nunit = "{UNIT}"\n[broker]\nport = {mosquitto.port}\n'
        f'[planner]\nplaybooks = ["."]\n'
    )
    ready, stop = threading.Event(), []
    serving_task = serve(mosquitto.port, folder, ready, stop)
    thread = threading.Thread(target=asyncio.run, args=(serving_task,))
    thread.start()
    assert ready.wait(15)
    loop, stopping = stop[0]
    yield path
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)


@pytest.fixture
def muster(config):
    def run(*args, **more):
        command = [*map(str, args), *([] if "--config" in args else ["--config", str(config)])]
        return CliRunner().invoke(cli.app, command, **more)

    return run


@pytest.fixture
def napping(muster):
    """A run whose first task takes long."""
    run = muster("run", "nap for 600", "--detach").stdout.strip()
    yield run
    muster("cancel", run)
