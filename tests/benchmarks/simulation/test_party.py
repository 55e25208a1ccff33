import asyncio

import pytest

from benchmarks.simulation.party import MAX_TURNS, LivelockError, Party, WorldLoop
from benchmarks.virtual_clock import DeadlockError


def run(main):
    with asyncio.Runner(loop_factory=WorldLoop) as runner:
        return runner.run(main)


def test_frozen_party_does_nothing_while_its_peers_go_on():
    heard = []

    async def tick(name):
        for n in range(3):
            await asyncio.sleep(1)
            heard.append((name, n))

    async def main():
        one, other = Party("one"), Party("other")
        async with asyncio.TaskGroup() as group:
            for party in (one, other):
                group.create_task(tick(party.name), context=party.context.copy())
            await asyncio.sleep(1.5)
            one.freeze()
            await asyncio.sleep(10)
            assert heard[-1] == ("other", 2)
            assert ("one", 1) not in heard
            one.thaw()

    run(main())
    assert [n for name, n in heard if name == "one"] == [0, 1, 2]


def test_held_calls_come_in_order_after_the_thaw():
    heard = []

    async def main():
        party = Party("one")
        party.freeze()
        for n in range(3):
            party.enter(heard.append, n)
        assert heard == []
        party.thaw()
        await asyncio.sleep(0)

    run(main())
    assert heard == [0, 1, 2]


def test_timer_that_is_cancelled_while_held_never_fires():
    heard = []

    async def main():
        party, loop = Party("one"), asyncio.get_running_loop()
        timer = party.context.copy().run(loop.call_later, 1, heard.append, "late")
        party.freeze()
        await asyncio.sleep(2)
        timer.cancel()
        party.thaw()
        await asyncio.sleep(1)

    run(main())
    assert heard == []


def test_clock_jumps_for_one_party_alone():
    async def main():
        one, other = Party("one"), Party("other")
        one.ahead_s += 90
        await asyncio.sleep(1)
        return one.now() - other.now()

    assert run(main()) == 90


def test_party_passes_its_name_on_to_what_it_starts():
    heard = []

    async def main():
        party, loop = Party("one"), asyncio.get_running_loop()
        party.enter(loop.call_soon, heard.append, "soon")
        party.freeze()
        await asyncio.sleep(0)
        assert heard == []
        party.thaw()
        await asyncio.sleep(0)

    run(main())
    assert heard == ["soon"]


def test_waiting_for_nothing_is_a_deadlock_and_running_for_ever_a_livelock():
    async def wait():
        await asyncio.Event().wait()

    async def spin():
        for _ in range(MAX_TURNS + 1):
            await asyncio.sleep(0)

    with pytest.raises(DeadlockError):
        run(wait())
    with pytest.raises(LivelockError):
        run(spin())
