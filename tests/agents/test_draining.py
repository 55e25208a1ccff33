import asyncio
import os
import signal
from types import SimpleNamespace

import psutil
import pytest

from agents import draining
from agents.draining import READ_S, SIGNALS, Powered, battery
from protocol.messages import Heartbeat
from protocol.types import DeviceId, Incarnation, Load

BEAT = Heartbeat(DeviceId("phone"), Incarnation("1"), Load(2), (), connected=False)


def says(monkeypatch, percent, *, plugged=False):
    found = None if percent is None else SimpleNamespace(percent=percent, power_plugged=plugged)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: found, raising=False)
    return battery()


def test_what_is_left_counts_only_without_mains(monkeypatch):
    assert says(monkeypatch, 40.0) == 0.4
    assert says(monkeypatch, 40.0, plugged=True) is None
    assert says(monkeypatch, None) is None


def test_a_share_is_a_share_whatever_a_driver_says(monkeypatch):
    assert says(monkeypatch, 104.0) == 1.0
    assert says(monkeypatch, -1.0) == 0.0


def test_where_nobody_can_tell_there_is_no_battery(monkeypatch):
    def refuse():
        raise PermissionError

    monkeypatch.setattr(psutil, "sensors_battery", refuse, raising=False)
    assert battery() is None
    monkeypatch.delattr(psutil, "sensors_battery")
    assert battery() is None


def test_heartbeats_say_what_is_left_and_it_is_not_read_for_each():
    at, left = [0.0], [0.5]
    powered = Powered(lambda: at[0], lambda: left[0])
    left[0] = 0.1
    at[0] = READ_S / 2
    assert powered(BEAT).load == Load(2, battery=0.5)
    at[0] = READ_S
    assert powered(BEAT).load.battery == 0.1


async def soon(wait):
    async with asyncio.timeout(5.0):
        await wait


async def never():
    await asyncio.Event().wait()


async def owner_presses_again():
    os.kill(os.getpid(), signal.SIGTERM)
    await never()


@pytest.mark.parametrize(
    ("drained", "limit_s"),
    [(asyncio.sleep(0), 60.0), (never(), 0.01), (owner_presses_again(), 60.0)],
    ids=["over", "limit", "signal"],
)
def test_the_wait_ends_with_the_work_with_its_limit_or_with_another_signal(drained, limit_s):
    with asyncio.Runner() as runner:  # signals need a loop of the system
        runner.run(soon(draining.wait(drained, limit_s)))
        assert not any(map(runner.get_loop().remove_signal_handler, SIGNALS))
