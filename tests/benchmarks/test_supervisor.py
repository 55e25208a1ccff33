import asyncio
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from benchmarks.supervisor import EndedError, Supervised, running

pytestmark = pytest.mark.real_time
CALL_IN = (
    "import signal, socket, sys, time;"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit());"
    "sys.argv[1:] == ['deaf'] and signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "connection = socket.create_connection(('127.0.0.1', {port}));"
    "time.sleep(60)"
)
SPEAK = "import sys; sys.exit('the port is taken')"


@asynccontextmanager
async def supervised(tmp_path, *arguments, pause_s=0.01):
    """Run a program under supervision; yield it with the queue of its lives."""
    lives = asyncio.Queue()

    async def begun(reader, writer):
        lives.put_nowait(reader)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(begun, "127.0.0.1", 0)
    program = CALL_IN.format(port=server.sockets[0].getsockname()[1])
    command = (sys.executable, "-c", program, *arguments)
    each = Supervised(command, log=tmp_path / "log", pause_s=pause_s)
    async with server, running(each):
        yield each, lives


async def test_killed_program_is_started_again_and_cancelling_stops_it(tmp_path):
    async with supervised(tmp_path) as (program, lives):
        first = await lives.get()
        program.kill()
        second = await lives.get()
    assert first.at_eof()
    assert second.at_eof()
    program.kill()  # there is nothing left to kill


async def test_program_that_was_told_to_stop_comes_back_after_its_own_pause(tmp_path):
    async with supervised(tmp_path, pause_s=60.0) as (program, lives):
        await lives.get()
        first = program.pid
        program.kill(signal.SIGTERM, pause_s=0.01)
        await program.gone()
        await lives.get()

        assert program.pid not in {None, first}


async def test_program_is_gone_before_it_was_started(tmp_path):
    program = Supervised((sys.executable, "-c", SPEAK), log=tmp_path / "log", pause_s=0.01)

    await program.gone()

    assert program.pid is None


async def test_program_that_does_not_stop_in_time_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.supervisor.STOP_LIMIT_S", 0.1)
    async with supervised(tmp_path, "deaf") as (_, lives):
        life = await lives.get()
    assert life.at_eof()


async def test_program_that_ends_by_itself_is_an_error_with_its_last_words(tmp_path):
    program = Supervised((sys.executable, "-c", SPEAK), log=tmp_path / "log", pause_s=0.01)

    with pytest.raises(ExceptionGroup) as group:
        async with running(program):
            await asyncio.Event().wait()

    (error,) = group.value.exceptions
    assert isinstance(error, EndedError)
    assert "ended with code 1: the port is taken" in str(error)
