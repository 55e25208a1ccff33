"""The demo as people run it: every part is a process, and none is left."""

import asyncio
import json
import os
import signal
import sys

import psutil
import pytest

from benchmarks.demo import command
from benchmarks.demo.fleet import VICTIM

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("installed_mosquitto"),
]


def test_report_is_right_though_a_server_and_the_coordinator_were_killed(tmp_path, capsys):
    before = psutil.Process().children()
    code = command.main(seed=7, keep=tmp_path, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    assert told["transport"] == "mqtt"
    timeline = told["timeline"]
    assert [each["done"] for each in timeline[VICTIM]["attempts"]][:2] == [False, True]
    for who in (VICTIM, "coordinator"):
        assert len(timeline[who]["killed_s"]) == len(timeline[who]["back_s"]) == 1
    assert psutil.Process().children() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_no_process_survives_an_interrupted_demo(tmp_path, number):
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orchestrator", "demo", "--keep", str(tmp_path / "demo"),
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async for line in demo.stdout:
        if b"collect the errors" in line:
            break
    children = psutil.Process(demo.pid).children()
    assert len(children) == 7  # mosquitto, the coordinator and five daemons
    demo.send_signal(number)
    demo.send_signal(number)  # somebody is impatient
    rest = await demo.stdout.read()
    assert await demo.wait() == command.INTERRUPTED
    assert rest.endswith(b"demo: stopped\n")
    assert not any(each.is_running() for each in children)
