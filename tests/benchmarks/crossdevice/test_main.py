import pytest

from benchmarks.crossdevice.__main__ import show
from benchmarks.crossdevice.faults import Kind
from benchmarks.frame import BenchmarkError

POSSIBLE, IMPOSSIBLE = "mirror_fallback_restore", "log_triage_errors_by_cause"


async def test_who_writes_a_task_is_told_whether_the_fault_was_felt(tmp_path, capsys):
    names = [POSSIBLE, IMPOSSIBLE]
    fine = await show(names, kind="memory", fault=Kind.DEVICE_LOST, seed=0, root=tmp_path)
    first, felt, impossible = capsys.readouterr().out.splitlines()
    assert fine
    assert first.startswith(f"{POSSIBLE}: run succeeded, 2 of 2 subtasks")
    assert felt == "  device_lost of server-1: felt"
    assert impossible.startswith(f"{IMPOSSIBLE}: not possible without ")


async def test_in_peace_nothing_is_said_of_faults(tmp_path, capsys):
    assert await show([POSSIBLE], kind="memory", fault=Kind.NONE, seed=0, root=tmp_path)
    assert len(capsys.readouterr().out.splitlines()) == 1


async def test_a_name_that_is_none_is_told(tmp_path):
    with pytest.raises(BenchmarkError, match="no task"):
        await show(["none"], kind="memory", fault=Kind.NONE, seed=0, root=tmp_path)
