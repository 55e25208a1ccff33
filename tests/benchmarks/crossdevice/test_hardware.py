import asyncio

import pytest

from agents.skills import Context, PermanentError, TemporaryError, skill
from benchmarks.crossdevice.fleet import PROFILES
from benchmarks.crossdevice.hardware import Control, Hardware, reference_s
from protocol.types import AttemptId, RunId, TaskId


@skill("work.nothing")
async def nothing(*, work_s: float | None = None, memory_mb: int = 0) -> str:
    """Do nothing."""
    del work_s, memory_mb
    return "done"


def context(task="t"):
    return Context(attempt=AttemptId("a"), run=RunId("r"), task=TaskId(task))


@pytest.fixture
def device(tmp_path):
    """Make a device of a profile with one skill; what it is controlled by is beside it."""

    def made(profile="laptop", name="d", **control):
        path = tmp_path / name / "control.json"
        path.parent.mkdir(exist_ok=True)
        hardware = Hardware(PROFILES[profile], path)
        if control:
            Control(**control).write(path)
        (emulated,) = hardware.emulate([nothing])
        return emulated, hardware, path

    return made


async def seconds(emulated, args=None):
    loop = asyncio.get_running_loop()
    began = loop.time()
    await emulated.call(context(), args or {})
    return loop.time() - began


@pytest.mark.parametrize(
    ("profile", "took"), [("fast-server", 0.3), ("laptop", 0.6), ("edge", 1.2)]
)
async def test_a_call_takes_its_reference_time_over_the_speed(device, profile, took):
    assert await seconds(device(profile)[0]) == pytest.approx(took)


async def test_a_call_may_say_how_much_work_it_is(device):
    assert await seconds(device("edge")[0], {"work_s": 2}) == pytest.approx(4.0)


async def test_a_slow_device_is_as_many_times_slower_and_says_what_it_would_take(device):
    emulated, _, _ = device(slow=5.0)
    assert await seconds(emulated) == pytest.approx(3.0)
    assert emulated.info.estimate_s == 0.6


async def test_a_change_counts_from_the_next_call_on(device):
    emulated, _, path = device()
    assert await seconds(emulated) == pytest.approx(0.6)
    Control(slow=2.0).write(path)
    assert await seconds(emulated) == pytest.approx(1.2)


async def test_passing_faults_are_so_many_and_the_same_for_a_seed(device):
    async def failures(seed):
        emulated, _, _ = device(transient=0.3, seed=seed)
        found = []
        for n in range(100):
            try:
                await emulated.call(context(f"t{n}"), {})
            except TemporaryError:
                found.append(n)
        return found

    first = await failures(1)
    assert 15 <= len(first) <= 45
    assert await failures(1) == first != await failures(2)


async def test_what_fails_in_passing_on_one_device_does_well_on_another(device):
    async def fails(name, task):
        try:
            await device(name=name, transient=0.5)[0].call(context(task), {})
        except TemporaryError:
            return True
        return False

    seen = {(await fails("a", f"t{n}"), await fails("b", f"t{n}")) for n in range(20)}
    assert {(True, False), (False, True)} <= seen


async def test_nobody_sees_to_it_that_passing_faults_end(device):
    emulated, _, _ = device(transient=1.0)
    for _ in range(9):
        with pytest.raises(TemporaryError):
            await emulated.call(context(), {})


async def test_what_needs_more_memory_is_refused(device):
    with pytest.raises(PermanentError, match="needs 65 MB, there are 64"):
        await device("edge")[0].call(context(), {"memory_mb": 65})
    assert await device("edge")[0].call(context(), {"memory_mb": 64}) == "done"


async def test_work_drains_a_battery_until_it_is_empty(device):
    emulated, hardware, path = device("phone", battery=1.0)
    assert hardware.battery == 100.0  # nothing was read yet
    await emulated.call(context(), {})
    assert hardware.battery == pytest.approx(0.4)
    await emulated.call(context(), {})
    with pytest.raises(PermanentError, match="empty"):
        await emulated.call(context(), {})
    Control(battery=50.0).write(path)
    await emulated.call(context(), {})
    assert hardware.battery == pytest.approx(49.4)


async def test_without_a_battery_nothing_is_drained(device):
    emulated, hardware, _ = device("laptop", battery=0.0)
    await emulated.call(context(), {})
    assert hardware.battery == 100.0


async def test_one_call_at_a_time_is_made_on_all_devices(device):
    one, _, _ = device(exclusive=True)
    other, _, _ = device("fast-server", "e", exclusive=True)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for each in (one, one, other):
            group.create_task(each.call(context(), {}), name="call")
    assert loop.time() - began == pytest.approx(0.6 + 0.6 + 0.3, abs=0.1)


def test_reference_time_is_that_of_the_skill_or_of_its_group():
    assert reference_s("db.dump", {}) == 0.8
    assert reference_s("db.query", {}) == 0.4
    assert reference_s("unheard.of", {}) == 0.1
    assert reference_s("db.dump", {"work_s": 3}) == 3.0
