import os

import psutil
import pytest

from agents.builtin import system
from agents.skills import PermanentError

pytestmark = pytest.mark.broker  # threads work outside the virtual clock

SKILLS = system.skills()


async def test_facts_say_what_the_device_is(call):
    facts = await call(SKILLS, "system.facts")
    assert facts["hostname"]
    assert facts["cores"] == os.cpu_count()
    assert facts["uptime_s"] > 0


async def test_cpu_memory_and_disk_are_measured(call):
    cpu = await call(SKILLS, "system.cpu")
    assert 0 <= cpu["percent"] <= 100
    assert len(cpu["load"]) == 3
    memory = await call(SKILLS, "system.memory")
    assert 0 < memory["available_bytes"] <= memory["total_bytes"]
    [root] = await call(SKILLS, "system.disk", path="/")
    assert root["total_bytes"] == psutil.disk_usage("/").total
    assert isinstance(await call(SKILLS, "system.disk"), list)


async def test_a_missing_mount_is_named(call):
    with pytest.raises(PermanentError, match="/none: No such file"):
        await call(SKILLS, "system.disk", path="/none")


async def test_processes_are_found_by_name_largest_first(call):
    own = psutil.Process().name()
    found = await call(SKILLS, "system.processes", name=f"^{own}$", limit=500)
    assert os.getpid() in [process["pid"] for process in found["processes"]]
    sizes = [process["memory_bytes"] for process in found["processes"]]
    assert sizes == sorted(sizes, reverse=True)
    first = await call(SKILLS, "system.processes", sort="cpu_percent", limit=1)
    assert len(first["processes"]) == 1
    assert first["total"] >= 1


def test_a_process_that_tells_nothing_counts_nothing():
    silent = psutil.Process()
    silent.info = dict.fromkeys(system.FIELDS) | {"pid": 1, "create_time": psutil.boot_time()}
    assert system._process(silent) == system.Process(1, "", "", 0.0, 0)
