import asyncio

import pytest

from agents.actions import (
    AttemptRow,
    Beat,
    CancelSkill,
    EvictResource,
    Forget,
    LoadResource,
    Resume,
    RunRow,
)
from agents.ledger import LedgerError
from agents.outbox import FORGET_AT_ONCE, RETRY_S, Outbox
from protocol.messages import Heartbeat
from protocol.types import AttemptId, Effect, Load, Resource
from tests.support.agents import RUN, A

ROW = AttemptRow(A, RUN, 1, 1, Effect.PURE)
B = AttemptId("b")
MODEL = Resource("model", "a")
FORGET = Forget((A,))
BEAT = Beat(Heartbeat("laptop", "incarnation", Load()))


class ManualLedger:
    """Writes when it is told to."""

    def __init__(self):
        self.groups = []

    def write(self, changes, done):
        self.groups.append(changes)
        self.done = done


@pytest.fixture
def told():
    return []


@pytest.fixture
def done():
    return []


@pytest.fixture
def ledger():
    return ManualLedger()


@pytest.fixture
def outbox(ledger, done, told):
    return Outbox(ledger, done.extend, told.append)


def deed(number):
    return Resume(A, number)


async def turn():
    """Let the loop turn once, and what that schedules."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_without_a_row_everything_is_done_at_once(outbox, ledger, done):
    outbox.put([deed(1), CancelSkill(A)])
    await turn()
    assert done == [deed(1), CancelSkill(A)]
    assert ledger.groups == []


async def test_what_follows_a_row_waits_for_it_and_stays_in_order(outbox, ledger, done):
    outbox.put([deed(1), ROW, deed(2)])
    outbox.put([deed(3)])
    await turn()
    assert done == [deed(1)]
    outbox.put([deed(4)])
    ledger.done(None)
    assert done == [deed(number) for number in (1, 2, 3, 4)]


async def test_rows_of_one_turn_share_a_commit_and_later_ones_the_next(outbox, ledger, done):
    outbox.put([ROW, deed(1)])
    outbox.put([ROW, deed(2)])
    await turn()
    assert ledger.groups == [[ROW, ROW]]
    outbox.put([ROW, deed(3)])
    outbox.put([ROW, deed(4)])
    await turn()
    assert len(ledger.groups) == 1
    ledger.done(None)
    await turn()
    assert ledger.groups == [[ROW, ROW], [ROW, ROW]]
    assert done == [deed(1), deed(2)]


async def test_nobody_waits_for_the_end_of_a_turn_in_which_nothing_more_comes(
    outbox, ledger, done
):
    outbox.put([ROW, deed(1)])
    outbox.hurry()
    assert ledger.groups == [[ROW]]
    outbox.put([ROW, deed(2)])
    outbox.hurry()
    await turn()
    assert ledger.groups == [[ROW]]
    ledger.done(None)
    await turn()
    assert (ledger.groups, done) == ([[ROW], [ROW]], [deed(1)])


async def test_what_waited_for_a_commit_is_done_together(ledger, done, told):
    outbox = Outbox(ledger, done.append, told.append)
    outbox.put([ROW, deed(1)])
    outbox.put([ROW, deed(2)])
    await turn()
    ledger.done(None)
    outbox.put([deed(3), deed(4)])
    assert done == [[deed(1), deed(2)], [deed(3), deed(4)]]


async def test_what_is_only_forgotten_waits_for_the_next_heartbeat(outbox, ledger, done):
    outbox.put([FORGET, deed(1)])
    outbox.put([ROW])
    await turn()
    ledger.done(None)
    assert (ledger.groups, done) == ([[ROW]], [deed(1)])
    outbox.put([BEAT])
    await turn()
    assert ledger.groups == [[ROW], [FORGET]]


async def test_much_that_is_only_forgotten_becomes_one_change_a_run(outbox, ledger):
    older, newer = RunRow(RUN, 1, (1, 7)), RunRow(RUN, 1, (1, 8))
    outbox.put([Forget((A,), older), Forget((B,), newer)] * (FORGET_AT_ONCE // 2))
    await turn()
    assert ledger.groups == [[Forget((A, B) * (FORGET_AT_ONCE // 2), newer)]]


async def test_a_row_of_a_run_comes_after_what_was_forgotten_before_it(outbox, ledger):
    row = RunRow(RUN, 2)
    outbox.put([FORGET, row])
    await turn()
    assert ledger.groups == [[FORGET, row]]


async def test_heartbeat_never_waits(outbox, done):
    outbox.put([ROW, deed(1), BEAT])
    assert done == [BEAT]


async def test_loads_and_evictions_never_wait_and_stay_in_order(outbox, done):
    orders = [LoadResource(MODEL), EvictResource(MODEL)]
    outbox.put([ROW, orders[0], deed(1), orders[1]])
    assert done == orders


async def test_failed_group_is_tried_again_and_told_once(outbox, ledger, done, told):
    error = LedgerError("full")
    outbox.put([ROW, deed(1)])
    await turn()
    for _ in range(3):
        ledger.done(error)
        assert outbox.failing
        await asyncio.sleep(RETRY_S * 1.5)
    assert ledger.groups == [[ROW]] * 4
    assert done == []
    ledger.done(None)
    assert told == [error, None]
    assert done == [deed(1)]
    assert not outbox.failing


async def test_settle_waits_for_everything_even_what_is_only_forgotten(outbox, ledger, done):
    outbox.put([ROW, deed(1)])
    await turn()
    outbox.put([FORGET])
    async with asyncio.TaskGroup() as group:
        settling = group.create_task(outbox.settle())
        await turn()
        ledger.done(None)
        await turn()
        assert not settling.done()
        ledger.done(None)
    assert ledger.groups == [[ROW], [FORGET]]
    await outbox.settle()
    assert done == [deed(1)]


async def test_closed_outbox_gives_up(outbox, ledger):
    outbox.close()
    outbox.put([ROW])
    await turn()
    ledger.done(LedgerError("full"))
    outbox.close()
    await asyncio.sleep(10 * RETRY_S)
    assert len(ledger.groups) == 1
