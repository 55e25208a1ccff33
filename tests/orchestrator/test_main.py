"""The `muster` command as a whole: every side's commands, and how it ends."""

import errno
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from orchestrator import __main__
from orchestrator.cli.calling import Exit


def test_the_command_has_the_commands_of_every_side():
    whole = CliRunner().invoke(__main__.compose(), ["--help"], env={"COLUMNS": "200"})
    assert whole.exit_code == 0
    for command in ("agent", "bench", "run", "watch", "coordinator", "playbooks"):
        assert f"│ {command} " in whole.stdout


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("muster ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (
            OSError(errno.ENOSPC, "No space left"),
            "muster: what was to be printed has no room: No space left",
        ),
    ],
)
def test_main_ends_without_a_traceback(monkeypatch, error, code):
    def failing():
        raise error

    monkeypatch.setattr(__main__, "compose", failing)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == code


def test_main_does_not_hide_other_errors(monkeypatch):
    def failing():
        raise PermissionError

    monkeypatch.setattr(__main__, "compose", failing)
    with pytest.raises(PermissionError):
        __main__.main()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["runs", "--bogus"], "muster: No such option: --bogus; see `muster runs --help`\n"),
        (["show"], "muster: Missing argument 'RUN'; see `muster show --help`\n"),
        (["sow"], "muster: No such command 'sow'. Did you mean 'show'?; see `muster --help`\n"),
    ],
)
def test_a_wrong_command_line_is_one_line(monkeypatch, capsys, argv, said):
    monkeypatch.setattr(sys, "argv", ["muster", *argv])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == Exit.BAD_INPUT
    assert capsys.readouterr().err == said


def test_no_command_at_all_is_answered_with_the_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["muster"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == Exit.BAD_INPUT
    assert "Usage: muster" in capsys.readouterr().out


def test_main_runs_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["muster", "--version"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("muster ")
