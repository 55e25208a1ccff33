"""Command lines that make no sense: one line that says what to write, and exit code 2."""

import sys

import pytest

from orchestrator import __main__
from orchestrator.cli.calling import Exit


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("run x --priority high", "'--priority': write a whole number, got 'high'"),
        ("run x --priority 99999999999", "write a number of at most 1000000"),
        ("run x --deadline -3", "'--deadline': write a number of at least 0.001, got '-3'"),
        ("run x --deadline inf", "'--deadline': write a number of at most 1000000000"),
        ("run x --timeout nan", "'--timeout': write a number of at "),
        ("run x --key=", "'--key': it is empty: write one, or leave it out"),
        ("run x --param a", "'a': write name=text or name:=json"),
        ("run x --param a:=x{", "'x{' is not JSON (Expecting value: line 1 column 1 (char 0)):"),
        ("run x --param a:=NaN", "NaN is no number that JSON can say"),
        ("run x --param a=1 --param a:=2", "parameter 'a' is there twice: write it once"),
        ("answer r t { --parse", "'{' is not JSON"),
        ("answer r t Infinity --parse", "Infinity is no number that JSON can say"),
        ("settle r t lost", "'lost' is not one of 'succeeded', 'failed'"),
        ("watch r --after x", "'--after': write a whole number, got 'x'"),
        ("broker --port 0", "'--port': write a number of at least 1, got '0'"),
    ],
)
def test_a_wrong_command_line_says_what_to_write(monkeypatch, capsys, argv, said):
    monkeypatch.setattr(sys, "argv", ["muster", *argv.split()])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == Exit.BAD_INPUT
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert line.endswith(f"; see `muster {argv.split()[0]} --help`")
    assert "Input" not in line
    assert "Value error" not in line
