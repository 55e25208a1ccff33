import asyncio
import sys

import pytest

from benchmarks.demo.supervisor import EndedError, Supervised

pytestmark = pytest.mark.real_time
COUNT = "import sys, time; open(sys.argv[1], 'a').write('.'); time.sleep(60)"
SPEAK = "import sys; sys.exit('the port is taken')"
DEAF = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w'); time.sleep(60)"


@pytest.fixture
def lives(tmp_path):
    return tmp_path / "lives"


def supervised(program, lives):
    command = (sys.executable, "-c", program, str(lives))
    return Supervised(command, log=lives.with_name("log"), pause_s=0.01)


async def until_started(lives, times):
    """Wait for what a process does; only its file tells."""
    while not lives.exists() or lives.stat().st_size < times:
        await asyncio.sleep(0.01)


async def test_killed_program_is_started_again_and_cancelling_stops_it(lives):
    program = supervised(COUNT, lives)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(program.run())
        await until_started(lives, 1)
        program.kill()
        await until_started(lives, 2)
        running.cancel()

    assert lives.read_text() == ".."
    program.kill()  # there is nothing left to kill


async def test_program_that_ends_by_itself_is_an_error_with_its_last_words(lives):
    with pytest.raises(EndedError, match="ended with code 1: the port is taken"):
        await supervised(SPEAK, lives).run()


async def test_program_that_does_not_stop_in_time_is_killed(lives, monkeypatch):
    monkeypatch.setattr("benchmarks.demo.supervisor.STOP_LIMIT_S", 0.1)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(supervised(DEAF, lives).run())
        await until_started(lives, 0)
        running.cancel()
