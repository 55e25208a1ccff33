import asyncio
import os
import re
import shutil
import signal
import sys

import psutil
import pytest

from agents.runtime import Agent
from agents.skills import Context, NotAllowedError, PermanentError, TemporaryError, skill
from agents.warm.adapters import ResourceKind
from agents.warm.adapters.children import Child
from agents.warm.adapters.process import Servers
from protocol.messages import Phase
from protocol.transport.memory import MemoryBroker
from protocol.types import Succeeded
from tests.support.agents import offer, pin
from tests.support.coordinator import ScriptedCoordinator

pytestmark = pytest.mark.real_time  # processes work outside the virtual clock

SAYS = "import time; print('warming'); print('ready {key}', flush=True); time.sleep(60)"
HTTP = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    count = 0
    def do_GET(self):
        Handler.count += 1
        self.send_response(200 if Handler.count > 2 else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("ready", flush=True)
time.sleep(60)
"""
POLITE = """
import signal, sys, time
def stop(*_):
    open(sys.argv[1], "w").write("saved")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(60)
"""
READY = re.compile("^ready", re.MULTILINE)


def python(code, *args, **options):
    return Servers([sys.executable, "-c", code, *args], **options)


async def test_server_is_ready_when_it_says_so():
    servers = python(SAYS, ready_line=re.compile("^ready m$", re.MULTILINE))
    server = await servers.load("m")
    assert psutil.Process(server.child.pid).is_running()
    await servers.evict(server)

    assert not psutil.pid_exists(server.child.pid)
    assert servers.size(server) is None


async def test_server_is_ready_when_its_url_answers():
    servers = python(HTTP, "{port}", ready_url="http://127.0.0.1:{port}/health?key={key}")
    server = await servers.load("m")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    status = await reader.readline()
    writer.close()
    await servers.evict(server)

    assert b" 200 " in status
    assert server.url == f"http://127.0.0.1:{server.port}"


async def test_server_is_ready_when_its_port_takes_connections():
    servers = python(HTTP, "{port}")
    await servers.evict(await servers.load("m"))


async def test_group_of_a_server_that_does_not_heed_is_killed():
    servers = python(STUBBORN, ready_line=READY, stop_s=0.1)
    server = await servers.load("m")
    (child,) = psutil.Process(server.child.pid).children()
    await servers.evict(server)
    psutil.wait_procs([child], timeout=5)

    assert not psutil.pid_exists(server.child.pid)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


async def test_server_has_time_to_save(tmp_path):
    saved = tmp_path / "saved"
    servers = python(POLITE, str(saved), ready_line=READY)
    await servers.evict(await servers.load("m"))

    assert saved.read_text() == "saved"


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("print('no such model'); raise SystemExit(3)", PermanentError, "code 3: no such model"),
        ("raise SystemExit(0)", PermanentError, "exit code 0: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", TemporaryError, "killed by SIGKILL"),
    ],
)
@pytest.mark.parametrize("ready", [{"ready_line": READY}, {}])
async def test_server_that_ends_before_it_is_ready_fails_its_load(code, error, words, ready):
    with pytest.raises(error, match=words):
        await python(code, **ready).load("m")


async def test_program_that_is_not_there_fails_its_load(monkeypatch):
    servers = Servers(["/no/such/program"], ready_line=READY)
    with pytest.raises(PermanentError, match="/no/such/program"):
        await servers.load("m")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(PermanentError, match="/no/such/program cannot be started"):
        await servers.load("m")


async def test_load_that_is_cancelled_leaves_no_process():
    others = set(psutil.Process().children())  # a broker, for one
    async with asyncio.TaskGroup() as group:
        load = group.create_task(python("import time; time.sleep(60)", ready_line=READY).load("m"))
        while not (children := set(psutil.Process().children()) - others):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        load.cancel()
        await asyncio.wait([load])

    assert load.cancelled()
    assert not any(psutil.pid_exists(each.pid) for each in children)


@pytest.mark.parametrize("key", ["--help", "../m", "/etc/passwd", "a b", "", "a/b"])
async def test_key_is_no_option_and_no_path(key):
    with pytest.raises(NotAllowedError):
        await python(SAYS, ready_line=READY).load(key)


async def test_server_sees_only_what_it_is_given(monkeypatch):
    monkeypatch.setenv("SECRET", "secret")
    code = "import os; print('ready', *sorted(os.environ), flush=True); import time; time.sleep(9)"
    servers = python(
        code, ready_line=re.compile("^ready.*\n", re.MULTILINE), environment={"A": ""}
    )
    server = await servers.load("m")
    words = server.child.tail.split()
    await servers.evict(server)

    assert "A" in words
    assert "PATH" in words
    assert "SECRET" not in words


async def test_flood_of_output_holds_nothing_up_and_only_its_end_is_kept():
    code = "import sys; sys.stdout.write('x' * 10_000_000 + 'end')"
    child = await Child.start([sys.executable, "-c", code], environment={})

    assert await child.ended() == 0
    assert len(child.tail) < 10_000
    assert child.tail.endswith("end")
    assert not child.running


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="it takes util-linux")
async def test_server_dies_with_an_agent_that_is_killed():
    code = f"""
import asyncio, re, sys
from agents.warm.adapters.process import Servers
async def main():
    servers = Servers([sys.executable, "-c", {SAYS!r}], ready_line=re.compile("ready"))
    server = await servers.load("m")
    print(server.child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    pid = int(await agent.stdout.readline())
    server = psutil.Process(pid)
    agent.kill()
    await agent.wait()
    psutil.wait_procs([server], timeout=5)

    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


@skill
async def pid(context: Context) -> int:
    """Return the process id of the server."""
    return context.resource("model").child.pid


async def finished(coordinator):
    while (report := await coordinator.reply()).phase is not Phase.FINISHED:
        pass
    return report


async def test_killed_server_is_missed_and_the_next_attempt_has_another():
    broker = MemoryBroker()
    servers = python(SAYS, ready_line=READY)
    agent = Agent(
        "laptop",
        [pid],
        transport=broker.transport("laptop"),
        resources={"model": ResourceKind(servers, 8.0)},
    )
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        async with agent:
            await coordinator.beat(connected=True)
            coordinator.say(offer(skill="pid", pins=(pin(),)))
            first = await finished(coordinator)
            assert first.warm[0].load_s > 0
            os.kill(first.outcome.output, signal.SIGKILL)
            while (await coordinator.beat()).load.warm:
                pass
            coordinator.say(offer("b", skill="pid", pins=(pin(token=2),), token=2))
            second = await finished(coordinator)

    assert isinstance(second.outcome, Succeeded)
    assert second.outcome != first.outcome
    assert not psutil.pid_exists(second.outcome.output)
