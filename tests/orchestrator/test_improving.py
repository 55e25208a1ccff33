import asyncio
import io
import json
import os
import pickle
import signal
import sys
import threading

import pytest
import structlog
from structlog.testing import capture_logs

from orchestrator.core.facts import PlanAdopted
from orchestrator.core.model import RunLimits
from orchestrator.core.scheduling.improvement import Problem, solve
from orchestrator.core.scheduling.outlook import Outlook
from orchestrator.core.tuning import Tuning
from orchestrator.improving import NICE, Here, Worker, main
from protocol import telemetry
from protocol.telemetry import Level
from tests.support.muster import muster, plan, spec, work

COUNT, DEVICES = 12, 3


def problem(number=1):
    """Tasks that wait for nothing, all of them meant for the first device."""
    cost = [[1.0 + n % 5] * DEVICES for n in range(COUNT)]
    nothing = [[0.0] * DEVICES for _ in range(COUNT)]
    per_byte, free = [[0.0] * DEVICES] * DEVICES, [[0.0] for _ in range(DEVICES)]
    outlook = Outlook(
        cost, [[] for _ in cost], nothing, [0.0] * COUNT, nothing, per_byte, free, ahead=False
    )
    return Problem(number, outlook, tuple(range(COUNT)), (0,) * COUNT, 20_000)


@pytest.fixture(autouse=True)
def _log():
    telemetry.configure(json=True, level=Level.WARNING)
    yield
    telemetry.quiet()
    structlog.reset_defaults()


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.close()


@pytest.mark.real_time
async def test_another_process_finds_what_this_one_would(worker):
    assert await worker.improve(problem(1)) == solve(problem(1))
    first = worker._process.pid
    assert await worker.improve(problem(2)) == await Here().improve(problem(2))
    assert worker._process.pid == first != os.getpid()


def test_the_process_answers_each_problem_until_there_are_no_more(monkeypatch, capsys):
    pipe = io.BytesIO(pickle.dumps(problem(1)) + pickle.dumps(problem(2)))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
    niced = []
    monkeypatch.setattr(os, "nice", niced.append)
    main()
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers == [[[*part] for part in solve(problem(n))] for n in (1, 2)]
    assert niced == [NICE]


@pytest.mark.real_time
async def test_if_the_process_is_killed_there_are_no_improvements_and_one_line_says_so(worker):
    await worker.improve(problem())
    os.kill(worker._process.pid, signal.SIGKILL)
    with capture_logs() as lines:
        assert await worker.improve(problem()) is None
        assert await worker.improve(problem()) is None
    assert [line["event"] for line in lines] == ["improver_lost"]


@pytest.mark.real_time
@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "print('?')")])
async def test_where_no_process_can_work_there_are_no_improvements(command):
    worker = Worker(command)
    with capture_logs() as lines:
        assert await worker.improve(problem()) is None
    assert len(lines) == 1


@pytest.mark.real_time
async def test_closing_kills_the_process_in_its_search():
    started = threading.Event()

    class Slow(Worker):
        def _ask(self, problem):
            started.set()
            return super()._ask(problem)

    slow = Slow((sys.executable, "-c", "import time; time.sleep(60)"))
    with capture_logs() as lines:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(slow.improve(problem()))
            async with asyncio.timeout(10.0):
                await asyncio.to_thread(started.wait)
            slow.close()
    assert asked.result() is None
    assert slow._process.returncode == -signal.SIGKILL
    assert not lines


class Better(Here):
    """Searches, and remembers what it was asked, and that it was closed."""

    def __init__(self):
        self.asked, self.closed = [], 0

    async def improve(self, problem):
        self.asked.append(problem)
        return await super().improve(problem)

    def close(self):
        self.closed += 1


async def run_of_forty(improver, share):
    """Run tasks that take other times than they declare; return what happened."""
    names = [f"t{n}" for n in range(40)]
    tasks = [
        spec(name, estimate_s=1.0 + n % 7, args={"seconds": 1.0 + n * n % 11})
        for n, name in enumerate(names)
    ]
    after = [(names[n - 3], names[n]) for n in range(3, 40)]
    fleet = {f"d{n}": [work()] for n in range(DEVICES)}
    tuning = Tuning(improve_cpu=share, hedge_budget=0.0)
    async with muster(fleet, tuning=tuning, improver=improver) as (orchestrator, _):
        await asyncio.sleep(1)
        limits = RunLimits(revisions=0)
        run = await orchestrator.submit("x", plan=plan(*tasks, after=after), limits=limits)
        assert (await run.result()).succeeded
        return [type(entry.fact) async for entry in run.events()]


async def test_while_a_run_goes_on_its_plan_is_improved():
    improver = Better()
    facts = await run_of_forty(improver, 0.005)
    assert PlanAdopted in facts
    assert [each.number for each in improver.asked] == list(range(1, len(improver.asked) + 1))
    assert improver.closed == 1


async def test_nobody_searches_unless_told_to():
    improver = Better()
    assert PlanAdopted not in await run_of_forty(improver, 0.0)
    assert not improver.asked


class Lost(Better):
    """Was asked once too often."""

    async def improve(self, problem):
        self.asked.append(problem)


async def test_a_run_whose_improver_is_lost_goes_on():
    improver = Lost()
    assert PlanAdopted not in await run_of_forty(improver, 0.005)
    assert len(improver.asked) == 1
