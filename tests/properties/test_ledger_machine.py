"""Every ledger against two dicts: what was durable is there after a crash, whole and unchanged."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents import ledger as module
from agents.actions import AttemptRow, Forget, ForgetRun, RunRow, Work
from agents.ledger import Durability, LedgerError, MemoryLedger, SqliteLedger
from protocol.types import (
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    Succeeded,
    Unknown,
)

runs = st.sampled_from(["r0", "r1", "r2"])
attempts = st.sampled_from(["a0", "a1", "a2", "a3"])
counters = st.integers(0, 3)
plain = st.sampled_from([None, 1.5, "ü", [1, "x"], {"deep": [True, None]}])
outcomes = st.one_of(
    st.none(),
    st.builds(Succeeded, plain),
    st.builds(
        Failed, st.sampled_from(FailureKind), st.text(max_size=3), st.sampled_from([None, 2.0])
    ),
    st.sampled_from([Rejected("busy"), Cancelled(), Unknown("crashed")]),
)
run_rows = st.builds(
    RunRow, runs, counters, st.tuples(counters, counters), st.sampled_from(["", "a/topic"])
)
attempt_rows = st.builds(
    AttemptRow, attempts, runs, counters, counters, st.sampled_from(Effect), outcomes,
    st.sampled_from([None, 0.25]), closed=st.booleans(),
    work=st.sampled_from([None, Work("t", "print", {"text": ["x"]})]),
)  # fmt: skip
changes = st.one_of(
    attempt_rows,
    attempt_rows,
    run_rows,
    st.builds(Forget, st.lists(attempts, max_size=3).map(tuple), st.none() | run_rows),
    st.builds(ForgetRun, runs),
)


def write(ledger, group):
    async def written():
        done = asyncio.get_running_loop().create_future()
        ledger.write(group, done.set_result)
        return await done

    return asyncio.run(written())


class LedgerMachine(RuleBasedStateMachine):
    """Groups of changes, closings and crashes."""

    def __init__(self):
        super().__init__()
        self.runs, self.attempts = {}, {}
        self.ledger = MemoryLedger()
        self.incarnation = self.ledger.incarnation

    def model(self, change):
        match change:
            case AttemptRow():
                self.attempts[change.attempt] = change
            case RunRow():
                self.runs[change.run] = change
            case Forget(gone, run):
                self.attempts = {n: row for n, row in self.attempts.items() if n not in gone}
                if run:
                    self.model(run)
            case ForgetRun(name):
                self.runs.pop(name, None)

    @rule(group=st.lists(changes, max_size=5))
    def write(self, group):
        assert write(self.ledger, group) is None
        for change in group:
            self.model(change)

    @rule()
    def reopen(self):
        self.ledger.close()

    @invariant()
    def holds_what_the_model_holds(self):
        rows = list(self.ledger.rows())
        found_runs = [row for row in rows if isinstance(row, RunRow)]
        found = rows[len(found_runs) :]
        assert {row.run: row for row in found_runs} == self.runs
        assert {row.attempt: row for row in found} == self.attempts
        assert len(rows) == len(self.runs) + len(self.attempts)
        order = [(row.epoch, row.token) for row in found]
        assert order == sorted(order)
        assert self.ledger.incarnation == self.incarnation


class SqliteMachine(LedgerMachine):
    """The same on a real file, which a crash leaves as it is at that moment."""

    durability = Durability.PROCESS

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-machine-"))
        self.lives = 0
        self.open()
        self.incarnation = self.ledger.incarnation

    @property
    def path(self):
        return self.folder / str(self.lives) / "ledger.db"

    def open(self):
        self.ledger = SqliteLedger(self.path, self.durability)

    @rule()
    def reopen(self):
        super().reopen()
        self.open()

    @rule()
    def crash(self):
        """Take the files as they are, log included; the old process is as good as dead."""
        before, old = self.path.parent, self.ledger
        self.lives += 1
        shutil.copytree(before, self.path.parent)
        old.close()
        self.open()

    @precondition(lambda self: not self.ledger._syncs)
    @rule(group=st.lists(changes, min_size=1, max_size=3))
    def crash_in_the_middle_of_a_group(self, group):
        self.ledger._db.execute("BEGIN")
        for change in group:
            self.ledger._apply(change)
        self.crash()

    @rule(group=st.lists(changes, max_size=3))
    def fail(self, group):
        unwritable = RunRow("r0", "no number", ("x", object()))
        assert isinstance(write(self.ledger, [*group, unwritable]), LedgerError)

    def teardown(self):
        self.ledger.close()
        shutil.rmtree(self.folder)


class PowerMachine(SqliteMachine):
    """Commits in the ledger's own thread."""

    durability = Durability.POWER


@pytest.fixture(autouse=True, scope="module")
def _checkpoints():
    """Have checkpoints happen, which is otherwise once in thousands of changes."""
    before, module.CHECKPOINT_EVERY = module.CHECKPOINT_EVERY, 20
    yield
    module.CHECKPOINT_EVERY = before


TestMemory = LedgerMachine.TestCase
TestMemory.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(max_examples=12, stateful_step_count=16, deadline=None)
TestPower = PowerMachine.TestCase
TestPower.settings = settings(max_examples=4, stateful_step_count=12, deadline=None)
