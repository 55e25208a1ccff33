"""Files of edits that make no sense: refused with what to write, and where, asking nobody."""

import pytest
from typer.testing import CliRunner

from orchestrator.cli.calling import Exit
from orchestrator.cli.steering import app

ADD = "edits: [{add_task: {id: b, skill: s, %s}}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("edits: {cancel: b}", "write a list under 'edits'; see `muster edit --help`"),
        ("edits: []", "1:8: write one at least: it is empty"),
        ("edits: [{}]", "1:9: an edit is exactly one of add_task, "),
        (
            "edits: [cancel b]",
            "1:9: write names with values, such as {name: value}, got 'cancel b'",
        ),
        ("edits: [{cancel: 3}]", "1:18: write text, got 3"),
        ("edits: [{add_task: {id: b}}]", "1:20: 'skill' is missing"),
        ("edits: [{frob: b}]", "1:16: 'frob' is not known here"),
        (ADD % "skil: t", "1:44: 'skil' is not known here, did you mean 'skill'?"),
        (ADD % "limits: {attempts: x}", "write a whole number, got 'x'"),
        (ADD % "effect: twice", "write one of 'pure', 'idempotent' or 'once', got 'twice'"),
        (
            ADD % "expect: {path: n, op: lt}",
            "write a path as a list, such as [disks, 0, free_bytes], got 'n'",
        ),
        ("edits: [{cancel: b}]\nreads: b", "2:8: write a list, such as [a, b], got 'b'"),
        ("edits: [{cancel: b}]\nbase_revision: -1", "write a number of at least 0, got -1"),
    ],
)
def test_a_wrong_file_of_edits_is_refused_with_what_to_write_and_where(tmp_path, text, said):
    file = tmp_path / "edits.yaml"
    file.write_text(text)
    result = CliRunner().invoke(app, ["edit", "r", str(file)])
    assert result.exit_code == Exit.BAD_INPUT
    [line] = result.stderr.splitlines()
    assert line.startswith(f"muster: {file}:")
    assert said in line
    assert text == "edits: []" or "write one at least" not in line
    for word in ("Input", "tuple", "Tuple", "dictionary", "instance", "items after"):
        assert word not in line
