"""What every ledger promises, proved on each of them."""

import asyncio

import pytest

from agents.actions import AttemptRow, Forget, ForgetRun, RunRow, Work
from agents.ledger import Durability, MemoryLedger, SqliteLedger
from protocol.types import (
    AttemptId,
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    RunId,
    Succeeded,
    TaskId,
    Unknown,
)

RUN = RunId("run")


@pytest.fixture(params=["memory", *Durability])
def reopened(request, tmp_path):
    """Return a way to open the same ledger again, as after a crash of the agent."""
    opened = []

    def reopen():
        while opened:
            opened.pop().close()
        if request.param == "memory":
            return memory
        opened.append(SqliteLedger(tmp_path / "state" / "ledger.db", request.param))
        return opened[-1]

    memory = MemoryLedger()
    yield reopen
    while opened:
        opened.pop().close()


def write(ledger, *changes):
    """Write a group on a loop, and wait until it is durable."""

    async def written():
        done = asyncio.get_running_loop().create_future()
        ledger.write(changes, done.set_result)
        return await done

    assert asyncio.run(written()) is None


def row(attempt, outcome=None, token=1, **options):
    return AttemptRow(AttemptId(attempt), RUN, 1, token, Effect.ONCE, outcome, **options)


def test_new_ledger_is_empty(reopened):
    assert list(reopened().rows()) == []


def test_identity_stays_as_long_as_the_ledger(reopened):
    assert reopened().incarnation == reopened().incarnation


def test_other_ledger_has_another_identity(reopened, tmp_path):
    other = SqliteLedger(tmp_path / "other.db")
    assert reopened().incarnation != other.incarnation != MemoryLedger().incarnation
    other.close()


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        Succeeded(),
        Succeeded({"lines": [1, 2.5, "ü", None, True]}),
        Failed(FailureKind.TRANSIENT, "busy", 1.5),
        Failed(FailureKind.SKILL_ERROR, "bug"),
        Rejected("full"),
        Cancelled(),
        Unknown("crashed"),
    ],
)
def test_each_outcome_is_read_back_as_it_was_written(reopened, outcome):
    work = Work(TaskId("t"), "print", {"text": ["ü", None]})
    written = row("a", outcome, run_s=0.25, closed=True, work=work)
    run = RunRow(RUN, 7, (3, 4), "a/topic")
    write(reopened(), run, written)
    assert list(reopened().rows()) == [run, written]


def test_later_row_replaces_the_earlier_one(reopened):
    ledger = reopened()
    write(ledger, RunRow(RUN, 1), row("a"))
    write(ledger, row("a", Succeeded(1), run_s=1.0), RunRow(RUN, 2, (1, 1)))
    assert list(reopened().rows()) == [RunRow(RUN, 2, (1, 1)), row("a", Succeeded(1), run_s=1.0)]


def test_attempts_are_read_in_the_order_of_their_tokens(reopened):
    write(reopened(), row("a", token=3), row("b", token=1), row("c", token=2))
    assert [each.attempt for each in reopened().rows()] == ["b", "c", "a"]


def test_forgotten_rows_are_gone_and_the_floor_is_kept(reopened):
    ledger = reopened()
    write(ledger, RunRow(RUN, 1), RunRow(RunId("idle"), 1), row("a"), row("b"))
    write(ledger, Forget((AttemptId("a"), AttemptId("none")), RunRow(RUN, 1, (1, 1))))
    write(ledger, Forget((AttemptId("b"),)), ForgetRun(RunId("idle")), ForgetRun(RunId("none")))
    assert list(reopened().rows()) == [RunRow(RUN, 1, (1, 1))]


def test_output_that_json_cannot_say_does_not_block_the_ledger(reopened):
    circle = []
    circle.append(circle)
    outputs = (circle, object(), "half a character: \udcff")
    write(reopened(), *(row(f"{n}", Succeeded(each)) for n, each in enumerate(outputs)))
    assert len(reopened().rows()) == 3
