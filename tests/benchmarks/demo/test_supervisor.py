import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from benchmarks.demo.supervisor import EndedError, Supervised

pytestmark = pytest.mark.real_time
CALL_IN = (
    "import signal, socket, sys, time;"
    "sys.argv[1:] == ['deaf'] and signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "connection = socket.create_connection(('127.0.0.1', {port}));"
    "time.sleep(60)"
)
SPEAK = "import sys; sys.exit('the port is taken')"


@asynccontextmanager
async def supervised(tmp_path, *arguments):
    """Run a program under supervision; yield it with the queue of its lives."""
    lives = asyncio.Queue()

    async def begun(reader, writer):
        lives.put_nowait(reader)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(begun, "127.0.0.1", 0)
    program = CALL_IN.format(port=server.sockets[0].getsockname()[1])
    command = (sys.executable, "-c", program, *arguments)
    async with server, asyncio.TaskGroup() as group:
        each = Supervised(command, log=tmp_path / "log", pause_s=0.01)
        running = group.create_task(each.run())
        yield each, lives
        running.cancel()


async def test_killed_program_is_started_again_and_cancelling_stops_it(tmp_path):
    async with supervised(tmp_path) as (program, lives):
        first = await lives.get()
        program.kill()
        second = await lives.get()
    assert first.at_eof()
    assert second.at_eof()
    program.kill()  # there is nothing left to kill


async def test_program_that_does_not_stop_in_time_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.demo.supervisor.STOP_LIMIT_S", 0.1)
    async with supervised(tmp_path, "deaf") as (_, lives):
        life = await lives.get()
    assert life.at_eof()


async def test_program_that_ends_by_itself_is_an_error_with_its_last_words(tmp_path):
    program = Supervised((sys.executable, "-c", SPEAK), log=tmp_path / "log", pause_s=0.01)

    with pytest.raises(EndedError, match="ended with code 1: the port is taken"):
        await program.run()
