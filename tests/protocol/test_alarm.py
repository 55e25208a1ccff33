"""The timer of the next deadline, on a loop whose clock may fall behind."""

import asyncio
import math

from protocol.alarm import Alarm


async def test_it_rings_once_at_the_earliest_deadline_it_was_set_to():
    rung = []
    alarm = Alarm(lambda: rung.append(asyncio.get_running_loop().time()))
    alarm.set(None, now=0.0)
    alarm.set(math.inf, now=0.0)
    alarm.set(9.0, now=0.0)
    alarm.set(5.0, now=0.0)
    alarm.set(7.0, now=0.0)
    await asyncio.sleep(20)
    assert rung == [5.0]


async def test_a_deadline_that_is_past_rings_at_once():
    rung = []
    Alarm(lambda: rung.append(asyncio.get_running_loop().time())).set(1.0, now=3.0)
    await asyncio.sleep(1)
    assert rung == [0.0]


async def test_after_the_machine_slept_the_next_message_finds_it_late_and_moves_it():
    rung = []
    alarm = Alarm(lambda: rung.append(asyncio.get_running_loop().time()))
    alarm.set(60.0, now=0.0)
    await asyncio.sleep(1)
    alarm.set(60.0, now=51.0)  # 50 s passed that the loop has not seen
    await asyncio.sleep(100)
    assert rung == [10.0]


async def test_a_closed_one_rings_no_more():
    rung = []
    alarm = Alarm(lambda: rung.append(1))
    alarm.close()
    alarm.set(1.0, now=0.0)
    alarm.close()
    await asyncio.sleep(5)
    assert rung == []
    alarm.set(1.0, now=0.0)
    await asyncio.sleep(5)
    assert rung == [1], "whoever begins again may set it"
