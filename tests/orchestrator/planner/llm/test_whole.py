"""A whole run: planned by a model, failed, and mended by it."""

import asyncio
import json

import pytest

from agents.skills import skill
from orchestrator.planner.llm.planner import LlmPlanner
from protocol.chat.client import Endpoint, HttpModel
from protocol.types import Effect
from tests.orchestrator.planner.llm.cases import NOTHING
from tests.support.model_server import Fails, ModelServer, Says
from tests.support.muster import muster

pytestmark = pytest.mark.real_time


@skill(effect=Effect.PURE)
async def read(path: str) -> list[str]:
    """Read the lines of a file."""
    return [f"{path} {n}" for n in range(2000)]


@skill(effect=Effect.PURE)
async def count(lines: list[str], unit: str) -> str:
    """Count lines."""
    if unit != "lines":
        raise ValueError(f"no such unit: {unit}")
    return f"{len(lines)} {unit}"


def plan(unit):
    lines = {"name": "lines", "value": {"$from": "read", "path": []}}
    return [
        {"id": "read", "skill": "read", "args": [{"name": "path", "value": "/x"}], "device": None},
        {"id": "count", "skill": "count", "args": [lines, {"name": "unit", "value": unit}]},
    ]


async def known(orchestrator):
    """Wait until the device has announced itself."""
    async with asyncio.timeout(5):
        while not orchestrator.devices():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_a_run_is_planned_and_mended_by_a_model_that_sees_no_whole_result_peer_26():
    mend = NOTHING | {"replace_tasks": plan("lines")[1:]}
    script = [
        Fails(429, {"error": "slow down"}, {"retry-after": "0"}),
        Says({"cannot": None, "tasks": plan("parsecs")}),
        Says("```json\n" + json.dumps(mend) + "\n```"),
    ]
    async with ModelServer(script, formats=["json_object"]).running() as server:
        planner = LlmPlanner(HttpModel(Endpoint(server.url, "m", table="[planner.llm]")))
        async with muster({"x": [read, count]}, planner=planner) as (orchestrator, _):
            await known(orchestrator)
            result = await (await orchestrator.submit("count the lines of /x")).result()
    assert result.outputs == {"count": "2000 lines"}, result.reason
    asked = server.asked[-1].words
    assert "no such unit: parsecs" in asked
    assert "list of 2000" in asked
    assert "/x 7" not in asked
    assert [each.format for each in server.asked] == ["json_schema"] + ["json_object"] * 3


async def test_a_model_that_fails_ends_the_run_with_what_to_do():
    async with ModelServer([Fails(401, {"error": {"message": "who?"}})]).running() as server:
        planner = LlmPlanner(HttpModel(Endpoint(server.url, "m", table="[planner.llm]")))
        async with muster({"x": [read]}, planner=planner) as (orchestrator, _):
            await known(orchestrator)
            result = await (await orchestrator.submit("count the lines of /x")).result()
    assert not result.succeeded
    assert "status 401 (who?): check key_env or key_file in [planner.llm]" in result.reason
