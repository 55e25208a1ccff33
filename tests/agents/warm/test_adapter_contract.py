"""What every adapter promises, proved on each of them."""

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import AsyncExitStack

import psutil
import pytest

from agents.simulated import SimulatedAdapter
from agents.warm.adapters import Adapter, Watched
from agents.warm.adapters.directory import Directories, copied
from agents.warm.adapters.llm import SERVERS, LlmSessions
from agents.warm.adapters.objects import Objects
from agents.warm.adapters.process import Servers

pytestmark = pytest.mark.real_time

SERVE = "import time; time.sleep(0.1); print('ready', flush=True); time.sleep(60)"


class Case:
    """An adapter, and what is left of its loads as others see it."""

    def __init__(self, adapter, left, kill=None):
        self.adapter = adapter
        self.left = left
        self.kill = kill


def simulated(_tmp_path):
    adapter = SimulatedAdapter(load_s=0.05)
    return Case(adapter, lambda: len(adapter.handles), kill=lambda handle: handle.over.set())


def async_objects(_tmp_path):
    made = []

    async def make(key):
        await asyncio.sleep(0.05)
        made.append([key])
        return made[-1]

    async def close(each):
        made[:] = [other for other in made if other is not each]

    return Case(Objects(make, close=close, size=len), lambda: len(made))


def plain_objects(_tmp_path):
    made = []

    def make(key):
        time.sleep(0.05)
        made.append([key])
        return made[-1]

    def close(each):
        made[:] = [other for other in made if other is not each]

    return Case(Objects(make, close=close), lambda: len(made))


def process(_tmp_path):
    others = {child.pid for child in psutil.Process().children()}  # a broker, for one

    def left():
        return len({child.pid for child in psutil.Process().children()} - others)

    def kill(handle):
        os.kill(handle.child.pid, signal.SIGKILL)

    adapter = Servers([sys.executable, "-c", SERVE], ready_line=re.compile("ready"))
    return Case(adapter, left, kill)


def directory(tmp_path):
    (tmp_path / "source" / "key").mkdir(parents=True)
    for number in range(200):
        (tmp_path / "source" / "key" / str(number)).write_bytes(b"x" * 100)
    folder = tmp_path / "cache"
    adapter = Directories(folder, copied(f"{tmp_path}/source/{{key}}"))
    return Case(adapter, lambda: len(list(folder.iterdir())) if folder.exists() else 0)


CASES = [simulated, async_objects, plain_objects, process, directory]


@pytest.fixture(params=[*CASES, *SERVERS], ids=lambda each: getattr(each, "__name__", each))
async def case(request, tmp_path, llm_server):
    if callable(request.param):
        yield request.param(tmp_path)
        return
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(llm_server(slots=2))
        server.delay_s = 0.05
        adapter = LlmSessions(
            server.url, server=request.param, prefix=lambda key: [{"content": key}], slots=2
        )
        full = len(adapter._free)
        yield Case(adapter, lambda: full - len(adapter._free))


def test_adapter_has_the_parts_of_one(case):
    adapter: Adapter = case.adapter
    assert callable(adapter.load)
    assert callable(adapter.evict)


async def test_what_is_loaded_has_a_size_or_none_and_goes_at_its_end(case):
    handle = await case.adapter.load("key")
    size = case.adapter.size(handle)
    await case.adapter.evict(handle)

    assert size is None or size > 0
    assert case.left() == 0


async def test_key_may_be_loaded_twice_and_each_goes_by_itself(case):
    first, second = await case.adapter.load("key"), await case.adapter.load("key")
    await case.adapter.evict(first)
    left = case.left()
    third = await case.adapter.load("key")
    await case.adapter.evict(second)
    await case.adapter.evict(third)

    assert first is not second
    assert left in {0, 1}  # 0: nothing of it can be seen from here
    assert case.left() == 0


@pytest.mark.parametrize("after_s", [0.0, 0.02])
async def test_load_that_is_cancelled_leaves_nothing(case, after_s):
    async with asyncio.TaskGroup() as group:
        load = group.create_task(case.adapter.load("key"))
        await asyncio.sleep(after_s)
        load.cancel()
        await asyncio.wait([load])
    if not load.cancelled():
        await case.adapter.evict(load.result())

    assert case.left() == 0
    await case.adapter.evict(await case.adapter.load("key"))


async def test_watch_lasts_as_long_as_the_life_and_says_why_it_ended(case):
    if case.kill is None:
        assert not isinstance(case.adapter, Watched)
        return
    handle = await case.adapter.load("key")
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(case.adapter.alive(handle))
        await asyncio.sleep(0.05)
        assert not watch.done()
        case.kill(handle)
        assert await watch != ""
    await case.adapter.evict(handle)
    assert case.left() == 0
