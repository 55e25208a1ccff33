from benchmarks.crossdevice import notes


def test_what_is_noted_of_a_run_is_found_again_in_order(tmp_path):
    file = tmp_path / "notes.jsonl"
    assert notes.of(file, "r") == []
    for run, what in (("r", 1), ("s", {"a": 2}), ("r", 3)):
        notes.add(file, run, what)
    assert notes.of(file, "r") == [1, 3]
    assert notes.of(file, "s") == [{"a": 2}]


def test_half_a_note_that_a_kill_left_is_no_note(tmp_path):
    file = tmp_path / "notes.jsonl"
    notes.add(file, "r", 1)
    with file.open("a") as half:
        half.write('["r", {"a"')
    assert notes.of(file, "r") == [1]
