"""Jobs in worker processes and in this one."""

import math
import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.frame import BenchmarkError, Options
from benchmarks.workers import spread

JOBS = [9.0, 4.0, 16.0]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_came_of_each_job_comes_in_their_order(processes):
    found = spread(Options(settings={"jobs": processes}), math.sqrt, JOBS)
    assert list(found) == [(9.0, 3.0), (4.0, 2.0), (16.0, 4.0)]


def test_what_must_be_apart_is_in_another_process():
    jobs: list[int] = [0]
    assert (
        dict(spread(Options(settings={"jobs": 1}), _process, jobs, apart=True))[0] != os.getpid()
    )


def _process(_job):
    return os.getpid()


def test_a_worker_that_dies_is_said():
    with pytest.raises(BenchmarkError, match="worker process died"):
        list(spread(Options(settings={"jobs": 2}), os._exit, [1, 1]))


def _nap(_job):
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    time.sleep(600)


@pytest.mark.timeout(60)
def test_workers_end_with_who_waits_for_them_however_that_ended():
    """What they write into stays open for as long as one of them lives."""
    program = (
        "from benchmarks.frame import Options; from benchmarks.workers import spread;"
        "from tests.benchmarks.test_workers import _nap;"
        "list(spread(Options(settings={'jobs': 2}), _nap, [1, 2, 3, 4]))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        assert [waiting.stdout.readline() for _ in range(2)] == [b"at work\n"] * 2
        waiting.send_signal(signal.SIGKILL)
        assert not waiting.stdout.read()
