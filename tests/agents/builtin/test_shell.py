import asyncio
import sys

import pytest

from agents.builtin import shell
from agents.config import Command
from agents.skills import BadInputError, NotAllowedError, PermanentError

pytestmark = pytest.mark.broker  # processes work outside the virtual clock

PYTHON = sys.executable


@pytest.fixture
def skills(tmp_path):
    allow = [
        Command(run=PYTHON),
        Command(run="echo", args=["-n", "[a-z]+"]),
        Command(run="no-exe"),
    ]
    return shell.skills(allow, roots=[tmp_path])


async def test_a_command_runs_where_it_is_told(call, skills, tmp_path):
    (tmp_path / "sub").mkdir()
    code = "import os, sys; print(os.getcwd()); print('oops', file=sys.stderr)"
    assert await call(skills, "shell.run", command=[PYTHON, "-c", code], cwd="sub") == {
        "exit_code": 0,
        "stdout": f"{tmp_path}/sub\n",
        "stderr": "oops\n",
        "truncated": False,
    }


async def test_arguments_are_never_seen_by_a_shell(call, tmp_path):
    skills = shell.skills([Command(run="echo")], roots=[tmp_path])
    assert (await call(skills, "shell.run", command=["echo", "$HOME; id"]))[
        "stdout"
    ] == "$HOME; id\n"


async def test_the_agents_environment_stays_its_own(call, skills, monkeypatch):
    monkeypatch.setenv("SECRET", "s")
    code = "import os; print(sorted(os.environ))"
    assert (
        "SECRET" not in (await call(skills, "shell.run", command=[PYTHON, "-c", code]))["stdout"]
    )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["rm", "x"], "rm: the owner allows no such command here"),
        (["/bin/echo", "x"], "allows no such command"),
        (["echo", "abc", "ABC"], "does not allow these arguments"),
        (["echo", "abc\n"], "does not allow these arguments"),
    ],
)
async def test_what_is_not_allowed_does_not_run(call, skills, command, sentence):
    with pytest.raises(NotAllowedError, match=sentence):
        await call(skills, "shell.run", command=command)


async def test_allowed_arguments_run(call, skills):
    assert (await call(skills, "shell.run", command=["echo", "-n", "abc"]))["stdout"] == "abc"


async def test_an_exit_code_is_an_error_or_data(call, skills):
    command = [PYTHON, "-c", "import sys; sys.exit('broken')"]
    with pytest.raises(PermanentError, match="exit code 1: broken"):
        await call(skills, "shell.run", command=command)
    assert (await call(skills, "shell.run", command=command, check=False))["exit_code"] == 1


async def test_output_is_bounded_and_clean(call, skills):
    code = "import sys; sys.stdout.buffer.write(b'\\0\\xff' * 10**6)"
    ended = await call(skills, "shell.run", command=[PYTHON, "-c", code])
    assert ended["truncated"]
    assert ended["stdout"] == "\ufffd" * shell.STREAM_BYTES


async def test_a_missing_executable_is_named(call, skills):
    with pytest.raises(PermanentError, match="no-exe: No such file"):
        await call(skills, "shell.run", command=["no-exe"])


async def test_an_empty_command_or_a_foreign_folder_is_refused(call, skills):
    with pytest.raises(BadInputError, match="command: write one at least: it is empty"):
        await call(skills, "shell.run", command=[])
    with pytest.raises(NotAllowedError, match="outside"):
        await call(skills, "shell.run", command=["echo"], cwd="/")


FAMILY = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
open("pids.tmp", "w").write(f"{os.getpid()} {child.pid}")
os.rename("pids.tmp", "pids")
"""


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  short
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(folder) -> bool:
    """Wait until the kernel has buried what was killed."""
    pids = list(map(int, (folder / "pids").read_text().split()))
    for _ in range(1000):
        if not any(map(alive, pids)):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_time_limit_kills_the_whole_group(call, skills, tmp_path):
    command = [PYTHON, "-c", f"{FAMILY}\nchild.wait()"]
    with pytest.raises(PermanentError, match=r"killed after 1\.5 s"):
        await call(skills, "shell.run", command=command, cwd=".", limit_s=1.5)
    assert await gone(tmp_path)


async def test_cancelling_kills_the_whole_group(call, skills, tmp_path):
    command = [PYTHON, "-c", f"{FAMILY}\nchild.wait()"]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(call(skills, "shell.run", command=command, cwd="."))
        for _ in range(500):
            if (tmp_path / "pids").exists():
                break
            await asyncio.sleep(0.02)
        running.cancel()
    assert await gone(tmp_path)


async def test_what_a_command_leaves_in_the_background_is_killed(call, skills, tmp_path):
    async with asyncio.timeout(10):
        ended = await call(skills, "shell.run", command=[PYTHON, "-c", FAMILY], cwd=".")
    assert ended["exit_code"] == 0
    assert await gone(tmp_path)
